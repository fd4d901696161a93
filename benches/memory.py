"""Memory of the served demonstration (DESIGN §8): eight people signed in, 216 pages over TLS, then VmRSS and VmHWM.

cargo build --release && python3 benches/memory.py target/release/relais
"""

import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.parse

PEOPLE, ROUNDS = 8, 9


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = file.read()
    return [int(re.search(name + r":\s+(\d+)", status).group(1)) / 1024 for name in ("VmRSS", "VmHWM")]


def measure(program, data, what):
    environment = dict(os.environ, RELAIS_LISTEN="127.0.0.1:0")
    server = subprocess.Popen(
        [program, "demo", "--json", "--data", data],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True,
    )
    told = json.loads(server.stdout.readline())
    address = urllib.parse.urlparse(told["base_url"])
    authority = ssl.create_default_context(cafile=told["ca_file"])

    def ask(method, path, body=None, **headers):
        connection = http.client.HTTPSConnection(address.hostname, address.port, context=authority)
        connection.request(method, path, body, {"Sec-Fetch-Site": "same-origin", **headers})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    try:
        reads = 0
        pages = ["/", "/parcours", f"/parcours/{told['pathways'][0]['id']}/informations"]
        for account in told["accounts"][:PEOPLE]:
            form = urllib.parse.urlencode({"login": account["login"]})
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            cookie = ask("POST", "/demonstration/connexion", form, **kind).getheader("set-cookie").split(";")[0]
            for _ in range(ROUNDS):
                for page in pages:
                    status = ask("GET", page, Cookie=cookie).status
                    assert status in (200, 303, 404), (account["login"], page, status)
                    reads += 1
        print("%s: %d pages; resident %.1f MiB, highest %.1f MiB" % (what, reads, *memory(server.pid)))
    finally:
        server.terminate()
        server.wait()


with tempfile.TemporaryDirectory() as folder:
    for run in ("the run that makes the demonstration", "the next start"):
        measure(sys.argv[1], os.path.join(folder, "demo"), run)
