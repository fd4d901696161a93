//! `kill -9` under load, at random moments.

use std::time::Duration;

use relais::clock::Chance;
use relais::crypto::SystemChance;

use crate::site::{Load, Site, wait_until};

fn times() -> usize {
    if std::env::var_os("RELAIS_LONG").is_some() { 200 } else { 20 }
}

fn random_millis(below: u64) -> Duration {
    let mut bytes = [0_u8; 8];
    SystemChance::new().fill(&mut bytes).unwrap();
    Duration::from_millis(u64::from_le_bytes(bytes) % below)
}

#[test]
fn killed_at_random_it_needs_no_repair_and_every_answer_is_in_the_log() {
    let site = Site::new();
    let mut server = site.start();
    let people = server.people();
    let mut released = Vec::new();
    for round in 0..times() {
        if round > 0 {
            // The same folder, as it was left: nothing is repaired, nobody signs in again.
            server = site.start();
        }
        let load = Load::start(&server, &people);
        wait_until("answers under load", || load.so_far() > people.len());
        std::thread::sleep(random_millis(1500));
        server.kill();
        let counted = load.stop();
        assert!(!counted.released.is_empty());
        assert_eq!(counted.unavailable, 0, "round {round}: nothing was wrong before the kill");
        released.extend(counted.released);
        site.check(&released);
    }
    eprintln!("{} kills, {} answers, all of them recorded", times(), released.len());
}
