/** Two threads take two monitors in opposite order. */
public class Ring {
    static void take(Object first, Object second) {
        synchronized (first) {
            try {
                Thread.sleep(200);
            } catch (InterruptedException e) {
                return;
            }
            synchronized (second) {
                return;
            }
        }
    }

    public static void main(String[] arguments) {
        Object x = new Object(), y = new Object();
        new Thread(() -> take(x, y)).start();
        System.out.println(0);
        take(y, x);
    }
}
