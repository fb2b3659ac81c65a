"""The document of the API against a running listener: python fuzz.py BINARY [REQUESTS]. Needs schemathesis (PyPI).

The binary serves over the simulator on loopback with a database of its own. Requests are made from the document, sound and
unsound ones, over rows that are there: no answer may be a server error or anything that the document does not know."""
import json, os, re, signal, socket, subprocess, sys, tempfile, time, urllib.request

BINARY = os.path.abspath(sys.argv[1])
REQUESTS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
# It does not end.
LEFT_OUT = "^/api/v1/events$"


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(env, folder, *args):
    log = open(f"{folder}/{args[0]}.log", "w")
    return subprocess.Popen([BINARY, *args], env=env, cwd=folder, stdout=log, stderr=subprocess.STDOUT)


def until_it_answers(url):
    for _ in range(100):
        try:
            return urllib.request.urlopen(url, timeout=2)
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"nothing answers at {url}")


def ask(base, token, method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(base + path, data, headers, method=method), timeout=20) as answer:
        return json.load(answer)


def rows(base, token, env, folder):
    """Ids of rows that are there, by the beginning of the paths they stand in."""
    assistant = ask(base, token, "POST", "/api/v1/assistants", {"name": "Sarah", "prompt": "Hello {name}"})["assistant"]["id"]
    number = {"phoneNumber": "+15550001111", "assistantId": assistant, "address": "trunk.example"}
    ask(base, token, "POST", "/api/v1/phone-numbers/assign", number)
    with open(f"{folder}/l.csv", "w") as f:
        f.write("name,phone\n" + "".join(f"Contact {i},+120255501{i:02}\n" for i in range(100)))
    imported = json.loads(subprocess.run([BINARY, "--json", "import", "l.csv"], env=env, cwd=folder, check=True, capture_output=True).stdout)
    campaign = {"name": "Q4", "assistantId": assistant, "csvFileId": imported["id"], "startHour": 0, "endHour": 0}
    campaign = ask(base, token, "POST", "/api/v1/campaigns", campaign)["campaign"]["id"]
    ask(base, token, "POST", f"/api/v1/campaigns/{campaign}/start")
    ids = {"/api/v1/campaigns/": campaign, "/api/v1/outbound-calls/campaign/": campaign, "/api/v1/csv/": imported["id"], "/api/v1/assistants/": assistant}
    for _ in range(100):
        calls = ask(base, token, "GET", f"/api/v1/campaigns/{campaign}/calls")["calls"]
        if calls:
            ids["/api/v1/outbound-calls/{id}"] = calls[0]["id"]
            break
        time.sleep(0.1)
    return ids, assistant


def configuration(folder, ids, assistant):
    """What is deleted is a row that is not there; all else is asked of those that are."""
    lines = [f'[[operations]]\ninclude-path = "/api/v1/livekit/outbound-calls/trunk/{{assistant}}"\nparameters = {{ "path.assistant" = "{assistant}" }}\n']
    for beginning, row in ids.items():
        lines.append(f"[[operations]]\ninclude-path-regex = '^{re.escape(beginning)}'\nexclude-method = \"DELETE\"\nparameters = {{ \"path.id\" = \"{row}\" }}\n")
    path = f"{folder}/schemathesis.toml"
    with open(path, "w") as f:
        f.write("\n".join(lines))
    return path


def main():
    folder = tempfile.mkdtemp(prefix="document-")
    simulated, listening = port(), port()
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG")}
    env |= {"HOME": folder, "DATABASE_URL": f"sqlite:{folder}/t.db", "DIALDECK_COMPLIANCE__PROFILE": "none", "DIALDECK_COMPLIANCE__REGION": "US"}
    env |= {"DIALDECK_LISTEN__ADDR": f"127.0.0.1:{listening}", "BACKEND_URL": f"http://127.0.0.1:{listening}", "DIALDECK_LISTEN__LIMITS": "rate=100000,burst=100000"}
    running = [start(env, folder, "simulate", "--listen", f"127.0.0.1:{simulated}", "--speed", "20")]
    try:
        until_it_answers(f"http://127.0.0.1:{simulated}/")
        said = open(f"{folder}/simulate.log").read()
        env |= dict(re.findall(r"^([A-Z_]+)=(\S+)$", said, re.M))
        running.append(start(env, folder, "serve"))
        base = f"http://127.0.0.1:{listening}"
        until_it_answers(f"{base}/healthz")
        token = subprocess.run([BINARY, "token", "--role", "admin", "--ttl", "10h"], env=env, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
        document = f"{base}/api/v1/openapi.json"
        operations = sum(len(methods) for methods in json.load(urllib.request.urlopen(document))["paths"].values())
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", configuration(folder, *rows(base, token, env, folder))]
        command += ["run", document, "-H", f"Authorization: Bearer {token}", "--phases", "examples,coverage,fuzzing", "--checks", CHECKS, "--seed", "1"]
        command += ["-n", str(max(1, REQUESTS * 3 // 2 // operations)), "--exclude-path-regex", LEFT_OUT, "--request-timeout", "20", "--warnings", "off"]
        done = subprocess.run(command, cwd=folder).returncode
        alive = all(process.poll() is None for process in running)
        urllib.request.urlopen(f"{base}/readyz", timeout=5)
        if not alive or done:
            raise SystemExit(f"the listener {'lives' if alive else 'has ended'}; schemathesis says {done}")
    finally:
        for process in reversed(running):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                # Calls that requests have made are being seen to their end.
                process.kill()
                process.wait()


main()
