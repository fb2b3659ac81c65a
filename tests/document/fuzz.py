"""The document of the API against a running listener: python fuzz.py BINARY [REQUESTS]. Needs schemathesis, pyjwt and requests (PyPI).

The binary serves over the simulator on loopback with a database of its own. Requests are made from the document, sound and
unsound ones, over rows that are there: no answer may be a server error or anything that the document does not know."""
import os
import re
import subprocess
import sys

import requests

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "clients"))
from house import House, until  # noqa: E402

BINARY = sys.argv[1]
REQUESTS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
# It does not end.
LEFT_OUT = "^/api/v1/events$"


def rows(house):
    """Ids of rows that are there, by the beginning of the paths they stand in; and the assistant's."""
    assistant = house.assistant_with_number()
    file = house.contacts(*(f"+120255501{i:02}" for i in range(100)))
    campaign = {"name": "Q4", "assistantId": assistant, "csvFileId": file, "startHour": 0, "endHour": 0}
    campaign = house.ask("POST", "/campaigns", campaign)[1]["campaign"]["id"]
    status, answer = house.ask("POST", f"/campaigns/{campaign}/start")
    assert status == 200, answer
    ids = {"/api/v1/campaigns/": campaign, "/api/v1/outbound-calls/campaign/": campaign, "/api/v1/csv/": file, "/api/v1/assistants/": assistant}

    def called():
        """the campaign has a call"""
        return house.ask("GET", f"/campaigns/{campaign}/calls")[1]["calls"]

    ids["/api/v1/outbound-calls/{id}"] = until(called)[0]["id"]
    return ids, assistant


def configuration(folder, ids, assistant):
    """What is deleted is a row that is not there; all else is asked of those that are."""
    lines = [f'[[operations]]\ninclude-path = "/api/v1/livekit/outbound-calls/trunk/{{assistant}}"\nparameters = {{ "path.assistant" = "{assistant}" }}\n']
    for beginning, row in ids.items():
        lines.append(f"[[operations]]\ninclude-path-regex = '^{re.escape(beginning)}'\nexclude-method = \"DELETE\"\nparameters = {{ \"path.id\" = \"{row}\" }}\n")
    path = f"{folder}/schemathesis.toml"
    with open(path, "w", encoding="utf8") as f:
        f.write("\n".join(lines))
    return path


def fuzz(house):
    """Its exit code."""
    document = f"{house.api}/openapi.json"
    operations = sum(len(methods) for methods in requests.get(document, timeout=10).json()["paths"].values())
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", configuration(house.folder, *rows(house))]
    command += ["run", document, "-H", f"Authorization: Bearer {house.token(exp=2**33)}", "--phases", "examples,coverage,fuzzing", "--checks", CHECKS]
    command += ["-n", str(max(1, REQUESTS * 3 // 2 // operations)), "--exclude-path-regex", LEFT_OUT, "--request-timeout", "20", "--warnings", "off"]
    return subprocess.run([*command, "--seed", "1"], cwd=house.folder, check=False).returncode


def odd_methods(house):
    """HEAD is a GET without its body; OPTIONS says what there is; both where no row is."""
    for path in ("/healthz", "/readyz", "/docs", "/api/v1/openapi.json", "/api/v1/campaigns", "/api/v1/nowhere"):
        headers = {"Authorization": "Bearer " + house.token(), "Accept-Encoding": "identity"}
        got, head = (requests.request(m, house.base + path, headers=headers, timeout=10) for m in ("GET", "HEAD"))
        assert (head.status_code, head.content, head.headers.get("content-type")) == (got.status_code, b"", got.headers.get("content-type")), path
        options = requests.options(house.base + path, headers=headers, timeout=10)
        known = got.status_code != 404
        assert options.status_code == (405 if known else 404) and ("GET" in options.headers.get("allow", "")) == known, (path, options.headers)
        assert options.json()["success"] is False


def main():
    house = House(BINARY, speed=20, env={"DIALDECK_COMPLIANCE__REGION": "US", "DIALDECK_LISTEN__LIMITS": "rate=100000,burst=100000"})
    try:
        house.env["BACKEND_URL"] = house.base
        serving = house.serve()
        odd_methods(house)
        done = fuzz(house)
        alive = all(process.poll() is None for process in house.processes)
        assert alive, f"the listener has ended: {house.said('serve')[-600:]}"
        assert requests.get(house.base + "/readyz", timeout=5).status_code == 200 and serving.poll() is None
        if done:
            raise SystemExit(f"schemathesis says {done}")
    finally:
        house.close()


main()
