"""One dialdeck over its simulator, on loopback, in a folder of its own: started, asked, ended."""
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

import jwt
import requests

SECRET = "clients-jwt-secret-clients-jwt-secret-1"
TWILIO_TOKEN = "0123456789abcdef0123456789abcdef"
OWNER = "11111111-1111-4111-8111-111111111111"
ANOTHER = "22222222-2222-4222-8222-222222222222"
# The public URL that Twilio is told; requests reach us on loopback.
PUBLIC = "https://calls.example.com"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, seconds=30.0, step=0.1):
    """The first true answer of `what`; fails loudly when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := what():
            return answer
        time.sleep(step)
    raise AssertionError(f"not within {seconds} s: {what.__doc__ or what.__name__}")


class House:
    def __init__(self, binary, speed=5, env=None, webhooks=True):
        self.binary = os.path.abspath(binary)
        self.folder = tempfile.mkdtemp(prefix="dialdeck-clients-")
        self.processes = []
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.api = self.base + "/api/v1"
        self.env = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG")}
        self.env.update(
            HOME=self.folder,
            TZ="UTC",
            XDG_DATA_HOME=self.folder + "/data",
            XDG_STATE_HOME=self.folder + "/state",
            XDG_CONFIG_HOME=self.folder + "/config",
            DATABASE_URL=f"sqlite:{self.folder}/dd.db",
            JWT_SECRET=SECRET,
            TWILIO_ACCOUNT_SID="AC" + "0" * 32,
            TWILIO_AUTH_TOKEN=TWILIO_TOKEN,
            BACKEND_URL=PUBLIC,
            DIALDECK_AUTH__OWNER=OWNER,
            DIALDECK_LISTEN__ADDR=f"127.0.0.1:{self.port}",
            DIALDECK_TRUNK__CALLS_PER_SECOND="20",
            # Whatever the hour: nobody is rung here.
            DIALDECK_COMPLIANCE__PROFILE="none",
        )
        self.env.update(env or {})
        # The simulator tells its LiveKit's address and keys.
        hooks = ["--webhook", self.api + "/livekit/webhook"] if webhooks else []
        at = free_port()
        self.start("simulate", "--at", f"127.0.0.1:{at}", "--speed", str(speed), *hooks)
        told = until(lambda: re.findall(r"^(LIVEKIT[A-Z_]*)=(\S+)", self.said("simulate"), re.M))
        self.env.update({k: v for k, v in told if k not in self.env})

    def said(self, verb):
        try:
            with open(f"{self.folder}/out-{verb}", encoding="utf8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def start(self, verb, *args):
        out = open(f"{self.folder}/out-{verb}", "w", encoding="utf8")
        self.processes.append(subprocess.Popen([self.binary, verb, *args], env=self.env, cwd=self.folder, stdout=out, stderr=subprocess.STDOUT))
        return self.processes[-1]

    def serve(self):
        process = self.start("serve")

        def ready():
            """the listener is ready"""
            assert process.poll() is None, self.said("serve")[-600:]
            try:
                return requests.get(self.base + "/readyz", timeout=2).status_code == 200
            except requests.ConnectionError:
                return False

        until(ready)
        return process

    def run(self, *args):
        done = subprocess.run([self.binary, *args], env=self.env, cwd=self.folder, capture_output=True, timeout=60, text=True)
        assert done.returncode == 0, f"{args}: {done.returncode} {done.stderr[-300:]}"
        return done.stdout

    def token(self, role="admin", sub=OWNER, **claims):
        now = int(time.time())
        return jwt.encode({"sub": sub, "exp": now + 3600, "aud": "authenticated", "app_metadata": {"dialdeck_role": role}, **claims}, SECRET, algorithm="HS256")

    def ask(self, method, path, body=None, token=None, **kw):
        """Status and JSON of one request to the API."""
        headers = {"Authorization": "Bearer " + (token or self.token()), **kw.pop("headers", {})}
        answer = requests.request(method, self.api + path, json=body, headers=headers, timeout=60, **kw)
        return answer.status_code, (answer.json() if answer.content else None)

    def rows(self, sql, *args):
        with sqlite3.connect(f"{self.folder}/dd.db") as db:
            return db.execute(sql, args).fetchall()

    def assistant_with_number(self, name="Sarah", number="+15550009999"):
        self.run("assistant", "add", name, "--prompt", "Hello {name}, this is Sarah.")
        self.run("number", "assign", number, "--assistant", name, "--address", "x.pstn.example")
        return next(a["id"] for a in self.ask("GET", "/assistants")[1]["assistants"] if a["name"] == name)

    def contacts(self, *numbers):
        path = self.folder + "/leads.csv"
        with open(path, "w", encoding="utf8") as f:
            f.write("name,phone\n" + "".join(f"Person {i},{n}\n" for i, n in enumerate(numbers)))
        with open(path, "rb") as f:
            answer = requests.post(self.api + "/csv/upload", files={"csvFile": f}, headers={"Authorization": "Bearer " + self.token()}, timeout=60)
        assert answer.status_code == 201, answer.text
        return answer.json()["csvFileId"]

    def close(self):
        for p in reversed(self.processes):
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
        for p in self.processes:
            try:
                p.wait(15)
            except subprocess.TimeoutExpired:
                p.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def npm(what, **request):
    """What one of the npm packages signs; NODE_PATH says where they are."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sign.cjs")
    done = subprocess.run(["node", script], input=json.dumps({"what": what, **request}), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr[-400:]
    return done.stdout
