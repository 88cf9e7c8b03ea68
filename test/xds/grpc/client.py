# A gRPC client that the test drives: one JSON command a line in, one JSON answer a line out. client.ts is the same in TypeScript.
import concurrent.futures
import json
import sys
import time

import grpc

channels = {}
servers = []
pool = concurrent.futures.ThreadPoolExecutor(max_workers=32)


def call(ask):
    target = ask["target"]
    if target not in channels:
        channels[target] = grpc.insecure_channel(target)
    unary = channels[target].unary_unary(ask["method"])
    start = time.monotonic()
    try:
        body = unary(b"", timeout=ask["timeoutMs"] / 1000, metadata=list(ask["headers"].items()), wait_for_ready=False)
        code, text = 0, body.decode()
    except grpc.RpcError as error:
        code, text = error.code().value[0], error.details()
    return {"code": code, "text": text, "ms": (time.monotonic() - start) * 1000}


def calls(ask):
    if "everyMs" in ask:

        def later(i):
            time.sleep(i * ask["everyMs"] / 1000)
            return call(ask)

        return list(pool.map(later, range(ask["count"])))
    return [call(ask) for _ in range(ask["count"])]


class Shop(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method != "/shop.Shop/Get":
            return None
        return grpc.unary_unary_rpc_method_handler(lambda request, context: b"served")


def serve(port):
    server = grpc.server(pool, xds=True)
    server.add_generic_rpc_handlers((Shop(),))
    server.add_secure_port("0.0.0.0:%d" % port, grpc.xds_server_credentials(grpc.insecure_server_credentials()))
    server.start()
    servers.append(server)
    return {"served": True}


for line in sys.stdin:
    ask = json.loads(line)
    print(json.dumps(calls(ask) if ask["kind"] == "calls" else serve(ask["port"])), flush=True)
