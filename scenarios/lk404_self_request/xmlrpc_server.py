"""An XML-RPC server of one thread; one of its procedures calls another one through the server."""
import subprocess
import sys
import xmlrpc.client
import xmlrpc.server

import common

CLIENT = "import sys, xmlrpc.client; xmlrpc.client.ServerProxy(sys.argv[1]).total()"


def price():
    return 42


def total():
    common.stuck()
    return xmlrpc.client.ServerProxy(ADDRESS).price()  # <- guilty


if __name__ == "__main__":
    server = xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False)
    ADDRESS = "http://127.0.0.1:%d/" % server.server_address[1]
    server.register_function(price)
    server.register_function(total)
    client = subprocess.Popen([sys.executable, "-c", CLIENT, ADDRESS])
    common.say("listening", port=0)
    server.serve_forever()
