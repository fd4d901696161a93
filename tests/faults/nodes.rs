//! Three nodes on one PostgreSQL, under load, one killed at random: one linear log, every released answer in it, and three
//! verifiers that agree. `RELAIS_LONG=1` does it twenty times instead of twice.

use std::process::Command;
use std::time::Duration;

use data_encoding::BASE64;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use relais::clock::Chance;
use relais::crypto::SystemChance;
use relais::ids::RequestId;

use crate::site::{Load, Server, Site, wait_until};

const NODES: usize = 3;

fn rounds() -> usize {
    if std::env::var_os("RELAIS_LONG").is_some() { 20 } else { 2 }
}

fn random(below: u64) -> u64 {
    let mut bytes = [0_u8; 8];
    SystemChance::new().fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes) % below
}

/// What a command of the program writes; it must succeed.
fn told(site: &Site, words: &[&str]) -> String {
    let done = site.run(words);
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

/// Hashes in the order of storage that `tlog_tiles` has.
struct Store(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Store {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|i| self.0[usize::try_from(*i).unwrap()]).collect())
    }
}

/// A checkpoint of all that is there, with the export that it attests, held against the two verifiers that are not ours.
fn others_agree(site: &Site) {
    let kek = site.data().join(relais::startup::DEMO_KEK_FILE);
    let note = told(site, &["audit", "checkpoint", "--kek-file", kek.to_str().unwrap()]);
    let export = told(site, &["audit", "export"]);
    let key = told(site, &["audit", "checkpoint", "--vkey-only"]);
    let size: u64 = note.lines().nth(1).unwrap().parse().unwrap();
    let mut store = Store(Vec::new());
    for (index, record) in (0..size).zip(export.lines()) {
        let more = tlog_tiles::stored_hashes(index, record.as_bytes(), &store).unwrap();
        store.0.extend(more);
    }
    let root = tlog_tiles::tree_hash(size, &store).unwrap();
    assert_eq!(BASE64.encode(&root.0), note.lines().nth(2).unwrap(), "tlog_tiles");
    let at = |name: &str, content: &str| {
        let path = site.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let done = Command::new("python3")
        .args(["-I", "-S"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verifier/relais_verify.py"))
        .arg("verify-export")
        .arg(at("export.jsonl", &export))
        .arg("--key-file")
        .arg(at("key.txt", &key))
        .arg("--checkpoint")
        .arg(at("note.txt", &note))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn three_nodes_write_one_log_while_one_is_killed_at_random() {
    let Ok(server_url) = std::env::var("RELAIS_TEST_POSTGRES") else {
        eprintln!("RELAIS_TEST_POSTGRES names no server: nothing was tested");
        return;
    };
    let name = format!("t_{}", RequestId::random(&SystemChance::new()).unwrap());
    let mut owner = PgConnection::establish(&server_url).unwrap();
    owner.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let (base, _) = server_url.rsplit_once('/').unwrap();
    let mut site = Site::new();
    site.database = Some(format!("{base}/{name}"));
    // The first start makes the demonstration; the others serve the same database, each from a folder of its own.
    let mut nodes: Vec<Server> = (0..NODES).map(|number| site.start_node(number)).collect();
    let people = nodes[0].people();
    let (mut released, mut unavailable) = (Vec::new(), 0);
    for round in 0..rounds() {
        let loads: Vec<Load> = nodes.iter().map(|node| Load::start(node, &people)).collect();
        wait_until("answers of every node", || loads.iter().all(|load| load.so_far() > people.len()));
        std::thread::sleep(Duration::from_millis(random(1500)));
        let victim = usize::try_from(random(3)).unwrap();
        nodes[victim].kill();
        let before: Vec<usize> = loads.iter().map(Load::so_far).collect();
        wait_until("the others go on", || {
            (0..NODES).filter(|n| *n != victim).all(|n| loads[n].so_far() > before[n] + people.len())
        });
        for load in loads {
            let counted = load.stop();
            unavailable += counted.unavailable;
            released.extend(counted.released);
        }
        // One linear log, verified whole, with every answer that was released.
        site.check(&released);
        others_agree(&site);
        nodes[victim] = site.start_node(victim);
        eprintln!("round {round}: node {victim} killed, {} answers recorded", released.len());
    }
    // Three nodes that meet over the same pathways may ask somebody to try again, but rarely.
    assert!(unavailable * 10 < released.len(), "{unavailable} of {}", released.len());
    drop(nodes);
    site.check(&released);
    let kek = site.data().join(relais::startup::DEMO_KEK_FILE);
    let kek = kek.to_str().unwrap();
    assert!(told(&site, &["audit", "replay"]).contains("même réponse"));
    assert!(told(&site, &["audit", "reconcile", "--kek-file", kek]).contains("Les données sont celles"));
    owner.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).unwrap();
}
