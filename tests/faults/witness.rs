//! A witness and a server, each a process of its own: a checkpoint cosigned from end to end, checked by the verifier that
//! is not ours; then an older copy of the database put back, as an owner would.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::site::{Server, Site, answers, program};

/// A witness that runs.
struct Running {
    process: Child,
    said: Value,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn witness(folder: &Path, listen: &str, log: &str) -> Running {
    let mut process = program()
        .args(["audit", "witness", "--json", "--name", "w.example/temoin", "--listen", listen, "--log", log])
        .arg("--data")
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said = serde_json::from_str(&line).unwrap_or_else(|e| panic!("no witness ({e}): `{line}`"));
    Running { process, said }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Stops as an operator does: what is under way is answered, and a last checkpoint is signed.
fn stop(mut server: Server) {
    let pid = server.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    server.process.wait().unwrap();
}

/// The files of the database, as they are at rest.
fn database(site: &Site) -> Vec<PathBuf> {
    let named = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("relais.db");
    std::fs::read_dir(site.data()).unwrap().map(|e| e.unwrap().path()).filter(named).collect()
}

/// A start that is refused.
fn refused(site: &Site, words: &[&str]) {
    let output = site.run(&["demo", "--json", "--listen", "127.0.0.1:0"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in words {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

fn verifier(arguments: &[&str]) -> (Option<i32>, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verifier/relais_verify.py");
    let ran = Command::new("python3").args(["-I", "-S"]).arg(script).args(arguments).output().unwrap();
    (ran.status.code(), text(&ran))
}

#[test]
fn a_checkpoint_is_cosigned_from_end_to_end_and_an_older_copy_is_not_served() {
    let site = Site::new();
    stop(site.start());
    let log = String::from_utf8(site.run(&["audit", "checkpoint", "--vkey-only"]).stdout).unwrap();
    let log = log.trim();
    let folder = site.folder.path().join("witness");
    let made = program().args(["certs", "make", "--data"]).arg(&folder).output().unwrap();
    assert!(made.status.success(), "{}", text(&made));
    let running = witness(&folder, "127.0.0.1:0", log);
    let (vkey, address) = (
        running.said["vkey"].as_str().unwrap().to_owned(),
        running.said["address"].as_str().unwrap().to_owned(),
    );
    let policy = site.folder.path().join("policy");
    std::fs::write(&policy, format!("log {log}\nwitness w {vkey}\nquorum w\n")).unwrap();
    let settings = format!(
        "policy = \"{}\"\n[[witness]]\nurl = \"https://{address}\"\nvkey = \"{vkey}\"\nca_file = \"{}\"\n",
        policy.display(),
        folder.join("certs/ca.pem").display()
    );
    std::fs::write(site.data().join("relais.toml"), settings).unwrap();
    let none = site.run(&["audit", "verify"]);
    assert!(!none.status.success() && text(&none).contains("témoins exigés"), "{}", text(&none));

    // A server that starts shows its last checkpoint before it listens.
    let server = site.start();
    let people = server.people();
    let client = server.client(Some(&people[0].0));
    assert!(answers(&client));
    let note = site.run(&["audit", "checkpoint", "--cosigned"]);
    assert!(note.status.success(), "{}", text(&note));
    let (file, policy) = (site.folder.path().join("note"), policy.to_str().unwrap());
    std::fs::write(&file, &note.stdout).unwrap();
    let (code, said) = verifier(&["verify-checkpoint", file.to_str().unwrap(), "--policy", policy]);
    assert!(code == Some(0) && said.contains("Témoins : w ("), "{said}");
    let ours = site.run(&["audit", "verify"]);
    assert!(ours.status.success() && text(&ours).contains("Témoins : w ("), "{}", text(&ours));
    // Without its cosignature it is the log's word only.
    let alone: Vec<&str> = std::str::from_utf8(&note.stdout).unwrap().lines().take(5).collect();
    std::fs::write(&file, format!("{}\n", alone.join("\n"))).unwrap();
    let (code, said) = verifier(&["verify-checkpoint", file.to_str().unwrap(), "--policy", policy]);
    assert!(code == Some(1) && said.contains("quorum"), "{said}");
    let given = site.run(&["audit", "verify", "--checkpoint", file.to_str().unwrap()]);
    assert!(!given.status.success() && text(&given).contains("témoins exigés"), "{}", text(&given));
    stop(server);
    // What was done since is under a last checkpoint, and that one was seen before the process ended.
    let size = |words: &[&str]| {
        String::from_utf8(site.run(words).stdout).unwrap().lines().nth(1).unwrap().to_owned()
    };
    let export = String::from_utf8(site.run(&["audit", "export"]).stdout).unwrap();
    // Its last line is the checkpoint.
    let records = (export.lines().count() - 1).to_string();
    assert_eq!(size(&["audit", "checkpoint"]), records);
    assert_eq!(size(&["audit", "checkpoint", "--cosigned"]), records);

    // The owner keeps a copy; the log goes on, and is seen again by the witness at the next start.
    let copies = site.folder.path().join("copies");
    std::fs::create_dir(&copies).unwrap();
    let aside = |path: &PathBuf| copies.join(path.file_name().unwrap());
    let older = database(&site);
    for path in &older {
        std::fs::copy(path, aside(path)).unwrap();
    }
    let server = site.start();
    assert!(answers(&server.client(Some(&people[0].0))));
    stop(server);
    stop(site.start());
    let export = site.run(&["audit", "export"]).stdout;
    std::fs::write(&file, &export).unwrap();
    for path in database(&site) {
        std::fs::remove_file(path).unwrap();
    }
    for path in &older {
        std::fs::copy(aside(path), path).unwrap();
    }
    let verified = site.run(&["audit", "verify"]);
    let said = text(&verified);
    assert!(!verified.status.success() && said.contains("attesté par un témoin"), "{said}");
    refused(&site, &["attesté par un témoin", "plus court", "Rien n'est servi"]);
    // Without the file beside the database, the witness itself says it.
    std::fs::remove_file(site.data().join("cosigned-checkpoint.txt")).unwrap();
    refused(&site, &["w.example/temoin", "n'en est pas la suite", "Rien n'est servi"]);
    // Without either, the copy is whole in itself: this is what cannot be seen.
    drop(running);
    stop(site.start());
    std::fs::remove_file(site.data().join("relais.toml")).unwrap();
    let alone = site.run(&["audit", "verify"]);
    assert!(alone.status.success(), "{}", text(&alone));
    // The witness remembers over its own restart, and refuses the copy again.
    let again = witness(&folder, &address, log);
    assert_eq!(again.said["vkey"].as_str(), Some(vkey.as_str()));
    let settings = format!(
        "[[witness]]\nurl = \"https://{address}\"\nvkey = \"{vkey}\"\nca_file = \"{}\"\n",
        folder.join("certs/ca.pem").display()
    );
    std::fs::write(site.data().join("relais.toml"), settings).unwrap();
    refused(&site, &["w.example/temoin", "Rien n'est servi"]);
}
