"""Small real programs for the images of tests: a model server, a training, a processing."""

SERVER = """
import http.server, json, os, pathlib, sys, time

root = pathlib.Path(os.environ["ML_ROOT"])
model = json.loads((root / "model/model.json").read_text())
print("serving", model["name"], sys.argv[1:], flush=True)
if model.get("ends"):
    sys.exit("this model ends at once")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        if self.path == "/execution-parameters":
            self.answer(404, b"")
        else:
            time.sleep(model.get("ping_seconds", 0))
            self.answer(model.get("ping", 200), b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        words = body.decode(errors="replace").split()
        if words[:1] == ["crash"]:
            os._exit(1)
        if words[:1] == ["sleep"]:
            time.sleep(float(words[1]))
        if "answers" in model:
            self.answer(model["answers"], b"as the model says")
        elif words[:1] == ["status"]:
            self.answer(int(words[1]), b"as asked")
        elif self.headers.get("content-type") == "text/csv":
            if "bad" in words:
                self.answer(400, b"a bad record\\nis in it")
            else:
                print("lines", body.count(b"\\n"), flush=True)
                self.answer(200, "\\n".join(str(2 * float(word)) for word in words).encode(), "text/csv")
        else:
            seen = {key.lower(): value for key, value in self.headers.items()}
            told = {"model": model["name"], "pid": os.getpid(), "body": body.decode(), "headers": seen}
            told["environment"] = dict(os.environ)
            self.answer(200, json.dumps(told).encode(), "application/json")

    def answer(self, status, body, kind="text/plain"):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-amzn-sagemaker-custom-attributes", "from the container")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


Server((os.environ["BIND_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Handler).serve_forever()
"""

TRAIN = """
import json, os, pathlib, signal, sys, time

root = pathlib.Path(os.environ["ML_ROOT"])
parameters = json.loads((root / "input/config/hyperparameters.json").read_text())
if "fail" in parameters:
    (root / "output/failure").write_text(parameters["fail"])
    sys.exit(3)
if "wait" in parameters:
    def save(*_):
        (root / "model/saved.txt").write_text("at the last moment")
        sys.exit(0)
    signal.signal(signal.SIGTERM, save)
    print("waiting", flush=True)
    time.sleep(60)
rows = sum(len(file.read_text().split()) for file in sorted((root / "input/data/train").rglob("*")) if file.is_file())
print(f"rows={rows}; auc: 0.75", flush=True)
(root / "model/model.json").write_text(json.dumps({"name": parameters.get("name", "trained"), "rows": rows}))
(root / "output/data/report.txt").write_text(" ".join(sys.argv[1:]))
"""

PROCESS = """
import json, os, pathlib, sys

root = pathlib.Path(os.environ["ML_ROOT"])
host = json.loads((root / "config/resourceconfig.json").read_text())["current_host"]
if "--fail" in sys.argv:
    (root / "output/failure").write_text("nothing to process")
    sys.exit(1)
names = sorted(str(file.relative_to(root / "processing/in")) for file in (root / "processing/in").rglob("*.txt"))
text = "".join((root / "processing/in" / name).read_text() for name in names)
out = root / "processing/out"
out.mkdir(parents=True, exist_ok=True)
(out / f"{host}.json").write_text(json.dumps({"names": names, "arguments": sys.argv[1:], "env": dict(os.environ)}))
(out / "evaluation.json").write_text(json.dumps({"metrics": {"roc_auc": {"value": float(text.split()[0])}}}))
(root / "output/message").write_text("all went well")
"""
