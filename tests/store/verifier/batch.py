"""Puts many cases to relais_verify.py in one process. Arguments: its folder, and the folder of the cases.

`cases.jsonl` has one case a line; `answers.jsonl` gets one answer a line. The program itself knows nothing of this.
"""

import base64
import contextlib
import hashlib
import io
import json
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import relais_verify as verifier  # noqa: E402


def unhex(texts):
    return [bytes.fromhex(text) for text in texts]


def command(arguments):
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = verifier.main(arguments)
        except SystemExit as end:
            code = end.code
    return {"code": code, "said": said.getvalue()}


def holds(check, *arguments):
    try:
        check(*arguments)
    except verifier.Refusal as refusal:
        return {"code": 1, "said": str(refusal)}
    return {"code": 0, "said": ""}


def some_root(text):
    """The vectors write « don't care » where any root will do: a root it becomes, the same for the same words."""
    data = base64.b64decode(text)
    return data if len(data) == 32 else hashlib.sha256(data).digest()


def answer(case):
    if "command" in case:
        return command(case["command"])
    if "ed25519" in case:
        return {"code": 0 if verifier.ed25519_verify(*unhex(case["ed25519"])) else 1, "said": ""}
    proof = [base64.b64decode(text) for text in case["proof"] or []]
    if "leafIdx" in case:
        leaf, root = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
        return holds(verifier.check_inclusion, leaf, case["leafIdx"], case["treeSize"], proof, root)
    roots = some_root(case["root1"]), some_root(case["root2"])
    return holds(verifier.check_consistency, case["size1"], case["size2"], proof, *roots)


os.chdir(sys.argv[2])
with open("cases.jsonl", encoding="utf-8") as cases, open("answers.jsonl", "w", encoding="utf-8") as answers:
    for line in cases:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
