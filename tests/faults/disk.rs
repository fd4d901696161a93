//! No room on the disk: the operating system refuses to let any file grow, while the server runs.
//!
//! The limit on file sizes of the process stands for a full disk: writes fail in the same place, with an error of the
//! same kind, and no other program of the machine is disturbed.

use std::process::Command;

use crate::site::{Load, Server, Site, answers, program, size_of, wait_until};

fn limit(server: &Server, bytes: &str) {
    let pid = server.process.id().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    // From util-linux: on every Linux.
    let done = Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap();
    assert!(done.success());
}

#[test]
fn without_room_on_the_disk_nothing_is_released_and_with_room_again_it_goes_on() {
    let site = Site::new();
    drop(site.start());
    // The signal by which the system tells of the limit would end the process: a full disk sends none.
    let mut wrapped = Command::new("sh");
    wrapped.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(program().get_program());
    for (name, value) in program().get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    let server = site.start_as(wrapped);
    let people = server.people();
    let client = server.client(Some(&people[0].0));
    assert!(answers(&client));
    let mut released = Vec::new();
    for round in 0..3 {
        let load = Load::start(&server, &people);
        wait_until("answers under load", || load.so_far() > people.len());
        limit(&server, "1");
        // From the first refusal on, nothing is released until there is room.
        wait_until("a 503", || client.get("/api/v1/pathways").is_some_and(|reply| reply.status == 503));
        let at_the_limit = load.so_far();
        let (log, database) = (size_of(&site.data(), "relais.db-wal"), size_of(&site.data(), "relais.db"));
        for (token, pathway) in &people {
            let one = server.client(Some(token));
            for path in ["/api/v1/pathways".to_owned(), format!("/api/v1/pathways/{pathway}/items")] {
                let reply = one.get(&path).unwrap();
                assert_eq!(reply.status, 503, "round {round}: {path}");
                assert!(reply.body.get("items").is_none());
            }
        }
        assert_eq!(client.get("/health/ready").unwrap().status, 503, "round {round}");
        assert_eq!(client.get("/health/live").unwrap().status, 200, "round {round}");
        // Whoever leaves quickly leaves all the same: the page in front of them goes, and their browser forgets them.
        let (status, to, cookie) = client.leave().unwrap();
        assert_eq!((status, to.as_str()), (303, "/au-revoir"), "round {round}");
        assert!(cookie.contains("Max-Age=0"), "round {round}: {cookie}");
        // What was on its way to its client when the disk filled up had its record already.
        assert!(load.so_far() <= at_the_limit + people.len());
        assert_eq!(size_of(&site.data(), "relais.db"), database);
        assert!(size_of(&site.data(), "relais.db-wal") <= log);
        limit(&server, "unlimited");
        wait_until("room again", || answers(&client));
        wait_until("ready again", || client.get("/health/ready").is_some_and(|reply| reply.status == 200));
        let after = load.so_far();
        wait_until("work goes on", || load.so_far() > after + people.len());
        let counted = load.stop();
        assert!(counted.unavailable > 0);
        released.extend(counted.released);
    }
    site.check(&released);
    drop(server);
    site.check(&released);
}
