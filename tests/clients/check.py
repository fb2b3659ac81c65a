"""Real clients against a real binary: python check.py BINARY [NAME-PREFIX].

Twilio's and LiveKit's own packages sign, PyJWT and jose mint tokens, curl runs the examples of the documented system, its web front
end's requests are played, an agent worker reports. Needs PyPI's twilio, livekit-api, pyjwt[crypto], requests and
prometheus-client, and (NODE_PATH) npm's twilio, livekit-server-sdk and jose. Every process is its own, on loopback; no phone rings.
"""
import base64
import hashlib
import json
import re
import subprocess
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from livekit import api as livekit
from prometheus_client.parser import text_string_to_metric_families
from twilio.request_validator import RequestValidator

from house import ANOTHER, OWNER, PUBLIC, SECRET, TWILIO_TOKEN, House, npm, until

BINARY = sys.argv[1]
DAYS = "monday,tuesday,wednesday,thursday,friday,saturday,sunday".split(",")


def campaign(house, assistant, source, **more):
    body = {
        "name": "Q4 Sales Outreach", "assistantId": assistant, "csvFileId": source, "callingDays": DAYS, "startHour": 0, "endHour": 0,
        "contactHours": False, "callDelayMs": 0, "campaignPrompt": "Hello {name}, this is Sarah.", **more,
    }
    status, answer = house.ask("POST", "/campaigns", body)
    assert status == 201, answer
    return answer["campaign"]["id"]


def terms(house):
    house.ask("POST", "/terms", {"name": "Clients"})


# --- Who signs -----------------------------------------------------------------------------------------------------------------


def twilio_signatures(house):
    """Twilio's helpers of PyPI and npm sign callbacks that are taken; what was tampered with is refused."""
    house.serve()
    path = "/api/v1/outbound-calls/status-callback"
    form = {"CallSid": "CA" + "1" * 32, "AccountSid": "AC" + "0" * 32, "CallStatus": "completed", "CallDuration": "42", "To": "+12025550142", "CallerName": "José & Söhne"}

    def post(signature, sent=form, at=path):
        return requests.post(house.base + at, data=sent, headers={"X-Twilio-Signature": signature}, timeout=10).status_code

    def signers(url, fields):
        return [RequestValidator(TWILIO_TOKEN).compute_signature(url, fields), npm("twilio", token=TWILIO_TOKEN, url=url, form=fields)]

    for signature in signers(PUBLIC + path, form):
        assert post(signature) == 204
        assert post(signature, {**form, "CallStatus": "busy"}) == 403
        assert post(signature, {**form, "Extra": "1"}) == 403
        assert post(signature[:-2] + "A=") == 403
    for signature in signers(PUBLIC + path + "?a=1&b=%C3%A9", form):
        assert post(signature, at=path + "?a=1&b=%C3%A9") == 204
        assert post(signature) == 403
    for signature in signers("https://elsewhere.example" + path, form):
        assert post(signature) == 403
    assert post("") == 403
    for signature in signers(PUBLIC + "/api/v1/livekit/room/dd-test", {"CallSid": "CA2"}):
        answer = requests.post(house.api + "/livekit/room/dd-test", data={"CallSid": "CA2"}, headers={"X-Twilio-Signature": signature}, timeout=10)
        assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/xml"), answer.text
        assert "<Dial><Sip>sip:dd-test@" in answer.text, answer.text


def livekit_signatures(house):
    """LiveKit's server packages of PyPI and npm sign webhooks that are taken; what was tampered with is refused."""
    house.serve()
    key, secret = house.env["LIVEKIT_API_KEY"], house.env["LIVEKIT_API_SECRET"]
    event = json.dumps({"event": "room_started", "id": "EV_clients", "createdAt": str(int(time.time())), "room": {"name": "elsewhere", "sid": "RM_1"}})

    def python(body, key=key, secret=secret):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        return livekit.AccessToken(key, secret).with_sha256(digest).to_jwt()

    def post(token, body=event):
        headers = {"Authorization": token, "Content-Type": "application/webhook+json"}
        return requests.post(house.api + "/livekit/webhook", data=body, headers=headers, timeout=10).status_code

    for token in (python(event), npm("livekit", key=key, secret=secret, body=event)):
        assert post(token) == 200
        assert post(token, event.replace("room_started", "room_finished")) == 403
    unknown = json.dumps({"event": "moon_landed", "id": "EV_moon", "createdAt": "1"})
    assert post(python(unknown), unknown) == 200
    assert post(python(event, secret="another-secret-another-secret-another")) == 403
    assert post(python(event, key="APIother")) == 403
    assert post("") == 403


# --- Who asks ------------------------------------------------------------------------------------------------------------------


def claims(**more):
    now = int(time.time())
    return {"sub": OWNER, "exp": now + 600, "iat": now, "aud": "authenticated", "role": "authenticated", "app_metadata": {}, **more}


def asks(house, token):
    return requests.get(house.api + "/campaigns", headers={"Authorization": "Bearer " + token}, timeout=10).status_code


def tokens_of_a_secret(house):
    """PyJWT and jose mint HS256 tokens that are taken; expired, unsigned, foreign and misdirected ones are not."""
    house.serve()
    for mint in (lambda c, k=SECRET: jwt.encode(c, k, algorithm="HS256"), lambda c, k=SECRET: npm("token", alg="HS256", key=k, claims=c)):
        assert asks(house, mint(claims())) == 200
        assert asks(house, mint(claims(aud=["other", "authenticated"]))) == 200
        assert asks(house, mint(claims(exp=int(time.time()) - 3600))) == 401
        assert asks(house, mint(claims(aud="other"))) == 401
        assert asks(house, mint(claims(), "wrong-secret-wrong-secret-wrong-secret")) == 401
    assert asks(house, jwt.encode(claims(), SECRET, algorithm="HS384")) == 401
    assert asks(house, jwt.encode(claims(), None, algorithm="none")) == 401


class KeyServer:
    """What an identity provider has at /auth/v1: its public keys, and who a token is."""

    def __init__(self):
        self.asked, self.keys, server = 0, [], self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.asked += 1
                body = json.dumps({"keys": server.keys}).encode()
                self.send_response(200 if self.path.endswith("/auth/v1/.well-known/jwks.json") else 404)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def add(self, kid, alg, private):
        as_jwk = (jwt.algorithms.RSAAlgorithm if alg == "RS256" else jwt.algorithms.ECAlgorithm).to_jwk
        self.keys.append({**as_jwk(private.public_key(), as_dict=True), "kid": kid, "alg": alg, "use": "sig"})
        pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        return kid, alg, pem


def tokens_of_a_key_server(house):
    """RS256 and ES256 tokens of PyJWT and jose are taken by the provider's keys, fetched once; unknown keys are refused."""
    provider = KeyServer()
    made = [provider.add("r1", "RS256", rsa.generate_private_key(65537, 2048)), provider.add("e1", "ES256", ec.generate_private_key(ec.SECP256R1()))]
    strange = ("zz", "RS256", KeyServer().add("zz", "RS256", rsa.generate_private_key(65537, 2048))[2])
    house.env.update(SUPABASE_URL=provider.url)
    house.serve()
    issued = {"iss": provider.url + "/auth/v1"}

    def both(kid, alg, pem, c):
        yield jwt.encode(c, pem, algorithm=alg, headers={"kid": kid})
        yield npm("token", alg=alg, kid=kid, key=pem, claims=c)

    for key in made:
        for token in both(*key, claims(**issued)):
            assert asks(house, token) == 200, key[0]
        for token in both(*key, claims(**issued, exp=int(time.time()) - 3600)):
            assert asks(house, token) == 401
    asked = provider.asked
    for _ in range(20):
        assert asks(house, next(both(*strange, claims(**issued)))) == 401
    assert provider.asked <= asked + 1, f"{provider.asked - asked} fetches for one unknown key"
    # A public key as the secret of another algorithm.
    confused = json.dumps(provider.keys[0])
    assert asks(house, npm("token", alg="HS256", kid="r1", key=confused, claims=claims(**issued))) == 401


# --- What the documented system's users do -------------------------------------------------------------------------------------


def examples_of_the_document(house):
    """The document's own curl and fetch lines, with ids and a number that exist."""
    house.serve()
    assistant = house.assistant_with_number()
    terms(house)
    house.contacts("+12025550142", "+12025550143")
    house.run("import", house.folder + "/leads.csv", "--list", "Leads")
    contact_list = house.ask("GET", "/contact-lists")[1]["contactLists"][0]["id"]

    def curl(method, path, body=None):
        line = ["curl", "-sS", "-w", "\n%{http_code}", "-X", method, house.api + path, "-H", "Authorization: Bearer " + house.token("supervisor")]
        line += ["-H", "Content-Type: application/json", "-d", json.dumps(body)] if body is not None else []
        text, status = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True).stdout.rsplit("\n", 1)
        return int(status), json.loads(text)

    status, made = curl("POST", "/campaigns", {"name": "Test Campaign", "assistantId": assistant, "contactSource": "contact_list", "contactListId": contact_list})
    assert status == 201 and made["campaign"]["daily_cap"] == 100, made
    status, made = curl("POST", "/campaigns", {
        "name": "Q4 Sales Outreach", "assistantId": assistant, "contactSource": "contact_list", "contactListId": contact_list, "dailyCap": 100,
        "callingDays": ["monday", "tuesday", "wednesday", "thursday", "friday"], "startHour": 9, "endHour": 17,
        "campaignPrompt": "Hello {name}, this is Sarah from Acme Corp. I'm calling about our Q4 special offer...",
    })
    assert status == 201, made
    campaign_id = made["campaign"]["id"]
    status, answer = curl("GET", f"/campaigns/{campaign_id}/status")
    assert status == 200 and answer["campaign"]["execution_status"] == "idle" and "queueStatus" in answer["campaign"], answer
    status, answer = curl("POST", "/outbound-calls/initiate", {"campaignId": campaign_id, "phoneNumber": "+12025550199", "contactName": "John Doe", "assistantId": assistant})
    # Outside the campaign's hours the gate says so, as for every dial.
    assert status == 202 and answer["campaignCallId"] or status == 409 and answer["details"]["gate"], answer
    status, answer = curl("POST", "/outbound-calls/initiate", {"campaignId": campaign_id, "phoneNumber": "+1234567890", "contactName": "John Doe", "assistantId": assistant})
    assert status == 422, answer
    status, answer = curl("POST", f"/campaigns/{campaign_id}/start")
    assert status == 200, answer
    status, answer = curl("GET", f"/outbound-calls/campaign/{campaign_id}/stats")
    assert status == 200 and answer["stats"]["total"] >= 2, answer


def the_documents_env(house):
    """The .env as it is printed: its placeholders are named, one each, and nothing is dialled with them."""
    text = """SUPABASE_URL=your_supabase_url
SUPABASE_SERVICE_ROLE_KEY=your_supabase_service_role_key
LIVEKIT_HOST=wss://your-livekit-host.com
LIVEKIT_API_KEY=your_livekit_api_key
LIVEKIT_API_SECRET=your_livekit_api_secret
LK_AGENT_NAME=ai
TWILIO_ACCOUNT_SID=your_twilio_account_sid
TWILIO_AUTH_TOKEN=your_twilio_auth_token
TWILIO_PHONE_NUMBER=+1234567890
BACKEND_URL=http://localhost:4000
NGROK_URL=https://your-ngrok-url.ngrok.io
ENABLE_CAMPAIGN_ENGINE=true
"""
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "BACKEND_URL", "LIVEKIT_HOST", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        house.env.pop(name, None)
    with open(house.folder + "/.env", "w", encoding="utf8") as f:
        f.write(text)
    told = subprocess.run([house.binary, "config", "check"], env=house.env, cwd=house.folder, capture_output=True, text=True, timeout=30)
    words = told.stdout + told.stderr
    for name in re.findall(r"^(\w+)=(?:\w+://)?your", text, re.M):
        assert name in words, f"{name} is not named: {words}"


def front_end(house):
    """The documented web front end's requests, in the order its pages make them, read as it reads them."""
    house.serve()
    assistant = house.assistant_with_number()
    terms(house)
    csv_file = house.contacts("+12025550142", "+12025550143", "+12025550144")
    files = house.ask("GET", "/csv")[1]["csvFiles"]
    assert [f["id"] for f in files] == [csv_file] and {"name", "user_id", "row_count", "contact_count", "created_at"} <= set(files[0])
    assert len(house.ask("GET", f"/csv/{csv_file}/contacts?limit=100&offset=0")[1]["contacts"]) == 3
    assert house.ask("GET", f"/csv/{csv_file}/stats")[1]["stats"]["total"] == 3
    campaign_id = campaign(house, assistant, csv_file)
    row = house.ask("GET", f"/campaigns/{campaign_id}")[1]["campaign"]
    # The settings page sends the row back, changed, under its columns' names.
    status, answer = house.ask("PUT", f"/campaigns/{campaign_id}", {**row, "daily_cap": 7, "calling_days": DAYS})
    assert status == 200 and answer["campaign"]["daily_cap"] == 7, answer
    row = house.ask("GET", f"/campaigns/{campaign_id}/status")[1]["campaign"]
    status, answer = house.ask("PUT", f"/campaigns/{campaign_id}", {**row, "daily_cap": 9})
    assert status == 200 and answer["campaign"]["daily_cap"] == 9, answer
    status, answer = house.ask("PUT", f"/campaigns/{campaign_id}", {**row, "execution_status": "running"})
    assert status == 422, answer
    listed = house.ask("GET", "/campaigns?status=idle&limit=50&offset=0")[1]
    assert listed["total"] == 1 and listed["campaigns"][0]["assistant_name"] == "Sarah", listed
    assert house.ask("POST", f"/campaigns/{campaign_id}/start")[0] == 200
    assert house.ask("POST", f"/campaigns/{campaign_id}/start")[0] == 409
    assert house.ask("POST", f"/campaigns/{campaign_id}/pause")[0] == 200
    assert house.ask("POST", f"/campaigns/{campaign_id}/resume")[0] == 200

    def all_ended():
        """all three calls ended"""
        queue = house.ask("GET", f"/campaigns/{campaign_id}/status")[1]["campaign"]["queueStatus"]
        return queue["queued"] == 0 and queue["processing"] == 0

    until(all_ended, 90)
    calls = house.ask("GET", f"/campaigns/{campaign_id}/calls?limit=50")[1]
    assert calls["calls"] == calls["data"] and calls["total"] >= 3
    answered = next(c for c in calls["calls"] if c["status"] == "completed")
    status, answer = house.ask("PUT", f"/outbound-calls/{answered['id']}/outcome", {"outcome": "interested", "notes": "wants an offer"})
    assert status == 200 and answer["call"]["outcome"] == "interested", answer
    assert house.ask("GET", f"/outbound-calls/campaign/{campaign_id}/stats")[1]["stats"]["interested"] == 1
    assert house.ask("GET", f"/livekit/outbound-calls/trunk/{assistant}")[1]["trunk"]["phoneNumber"] == "+15550009999"
    assert house.ask("GET", "/livekit/outbound-calls/trunks")[1]["trunks"][0]["owned"] is True
    # Nobody else sees any of it.
    another = house.token("admin", sub=ANOTHER)
    for path in (f"/campaigns/{campaign_id}", f"/campaigns/{campaign_id}/status", f"/outbound-calls/{answered['id']}", f"/csv/{csv_file}/contacts"):
        assert house.ask("GET", path, token=another)[0] == 404, path
    assert house.ask("POST", f"/campaigns/{campaign_id}/stop")[0] in (200, 409)
    assert house.ask("DELETE", f"/campaigns/{campaign_id}")[0] == 200


def agent_worker(house):
    """A stand-in for an agent worker: finds its outcomeUrl in the dispatch, reports by it, and not beyond its own call."""
    house.serve()
    assistant = house.assistant_with_number()
    terms(house)
    campaign_id = campaign(house, assistant, house.contacts("+12025550142", "+12025550143"))
    assert house.ask("POST", f"/campaigns/{campaign_id}/start")[0] == 200
    key, secret = house.env["LIVEKIT_API_KEY"], house.env["LIVEKIT_API_SECRET"]
    host = house.env["LIVEKIT_HOST"].replace("ws", "http", 1)

    def twirp(service, method, grants, **body):
        token = livekit.AccessToken(key, secret).with_grants(livekit.VideoGrants(**grants)).to_jwt()
        return requests.post(f"{host}/twirp/livekit.{service}/{method}", json=body, headers={"Authorization": "Bearer " + token}, timeout=10).json()

    def dispatched():
        """a room with a dispatched agent"""
        for room in twirp("RoomService", "ListRooms", {"room_list": True}).get("rooms", []):
            there = twirp("AgentDispatchService", "ListDispatch", {"room_admin": True, "room": room["name"]}, room=room["name"])
            for dispatch in there.get("agentDispatches", []):
                if dispatch.get("metadata"):
                    return json.loads(dispatch["metadata"])

    told = until(dispatched)
    assert list(told)[0] == "prompt" and told["prompt"].startswith("Hello Person"), told
    assert "phone_number" not in told and "sip_call_to" not in told and "+1202" not in json.dumps(told), told
    url = told["outcomeUrl"].replace(PUBLIC, house.base)
    bearer = {"Authorization": "Bearer " + told["outcomeToken"]}

    def reported():
        """the report is taken once somebody has answered"""
        answer = requests.put(url, json={"outcome": "callback", "confidence": 0.8, "notes": "tomorrow"}, headers=bearer, timeout=10)
        assert answer.status_code in (200, 409), answer.text
        return answer.status_code == 200 and answer.json()["call"]

    call = until(reported, 60, 0.3)
    assert call["id"] == told["callId"] and call["suggestion"] == "callback" and call["outcome"] is None, call
    report = {"summary": "asked to be called back", "answeredBy": "human", "transcript": [{"role": "user", "text": "Call me tomorrow", "at": "2026-01-01T00:00:00Z"}]}
    answer = requests.post(url.replace("/outcome", "/report"), json=report, headers=bearer, timeout=10)
    assert answer.status_code == 200, answer.text
    shown = house.ask("GET", f"/outbound-calls/{call['id']}")[1]["call"]
    assert "asked to be called back" in json.dumps(shown), shown
    other = next(c for c in house.ask("GET", f"/campaigns/{campaign_id}/calls")[1]["calls"] if c["id"] != call["id"])
    assert requests.put(url.replace(call["id"], other["id"]), json={"outcome": "interested"}, headers=bearer, timeout=10).status_code == 404
    assert asks(house, told["outcomeToken"]) == 403


# --- What describes and watches it ---------------------------------------------------------------------------------------------


def metrics(house):
    """/metrics as Prometheus' own parser reads it: typed, described, with units; the alerts name what is there."""
    house.serve()
    text = requests.get(house.base + "/metrics", timeout=10).text
    families = {f.name: f for f in text_string_to_metric_families(text)}
    ours = {n: f for n, f in families.items() if n.startswith("dialdeck_")}
    assert len(ours) >= 10, sorted(families)
    for name, family in ours.items():
        assert family.documentation and family.type != "unknown", name


CHECKS = [
    (twilio_signatures, {}), (livekit_signatures, {}), (tokens_of_a_secret, {}), (tokens_of_a_key_server, {}), (examples_of_the_document, {}),
    (the_documents_env, {}), (front_end, {"speed": 20}), (agent_worker, {"speed": 3}), (metrics, {}),
]


def main():
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    failed = 0
    for check, settings in CHECKS:
        if not check.__name__.startswith(only):
            continue
        house, started = House(BINARY, **settings), time.monotonic()
        try:
            check(house)
            print(f"ok   {check.__name__} ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception as e:
            failed += 1
            where = traceback.extract_tb(e.__traceback__)[-1]
            print(f"FAIL {check.__name__}: line {where.lineno}: {where.line}\n     {type(e).__name__}: {str(e)[:1500]}", flush=True)
        finally:
            house.close()
    print(f"{failed} failed")
    sys.exit(failed > 0)


main()
