// Two goroutines take two mutexes in opposite order; a third one ticks, so that the runtime sees no deadlock.
package main

import (
	"fmt"
	"sync"
	"time"
)

func take(first, second *sync.Mutex) {
	first.Lock()
	time.Sleep(200 * time.Millisecond)
	second.Lock()
}

func main() {
	var x, y sync.Mutex
	go take(&x, &y)
	go func() {
		for {
			time.Sleep(time.Second)
		}
	}()
	fmt.Println(0)
	take(&y, &x)
}
