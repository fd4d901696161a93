//! The connection to PostgreSQL, cut in mid-flight by a proxy that stands between.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use relais::crypto::SystemChance;
use relais::ids::RequestId;

use crate::site::{Load, Site, answers, wait_until};

/// Passes bytes on, until it is told to cut; then nothing passes, and nobody is let in.
struct Proxy {
    port: u16,
    closed: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0_u8; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        drop(from.shutdown(Shutdown::Both));
        drop(to.shutdown(Shutdown::Both));
    });
}

impl Proxy {
    fn to(upstream: &str) -> Self {
        let upstream = upstream.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (closed, open) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (shut, kept) = (Arc::clone(&closed), Arc::clone(&open));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let mut kept = kept.lock().unwrap();
                if shut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&upstream) else { continue };
                kept.push(client.try_clone().unwrap());
                pass(client.try_clone().unwrap(), server.try_clone().unwrap());
                pass(server, client);
            }
        });
        Self { port, closed, open }
    }

    fn cut(&self) {
        self.closed.store(true, Ordering::SeqCst);
        for stream in self.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    fn mend(&self) {
        self.closed.store(false, Ordering::SeqCst);
    }
}

/// `postgres://who@host:port/name` in its parts: who, host and port.
fn parts(url: &str) -> (String, String) {
    let rest = url.split_once("://").unwrap().1;
    let (server, _) = rest.rsplit_once('/').unwrap();
    match server.rsplit_once('@') {
        Some((who, host)) => (format!("{who}@"), host.to_owned()),
        None => (String::new(), server.to_owned()),
    }
}

#[test]
fn a_database_that_is_cut_off_answers_503_and_comes_back_without_a_restart() {
    let Ok(server_url) = std::env::var("RELAIS_TEST_POSTGRES") else {
        eprintln!("RELAIS_TEST_POSTGRES names no server: nothing was tested");
        return;
    };
    let name = format!("t_{}", RequestId::random(&SystemChance::new()).unwrap());
    let mut owner = PgConnection::establish(&server_url).unwrap();
    owner.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
    let (who, host) = parts(&server_url);
    let upstream = if host.contains(':') { host } else { format!("{host}:5432") };
    let proxy = Proxy::to(&upstream);
    let mut site = Site::new();
    site.database = Some(format!("postgres://{who}127.0.0.1:{}/{name}", proxy.port));
    let server = site.start();
    let people = server.people();
    let client = server.client(Some(&people[0].0));
    let mut released = Vec::new();
    for round in 0..5 {
        let load = Load::start(&server, &people);
        wait_until("answers under load", || load.so_far() > people.len());
        proxy.cut();
        wait_until("a 503", || client.get("/api/v1/pathways").is_some_and(|reply| reply.status == 503));
        let reply = client.get("/api/v1/pathways").unwrap();
        assert_eq!(reply.status, 503, "round {round}");
        assert!(reply.body.get("items").is_none());
        assert_eq!(client.get("/health/ready").unwrap().status, 503, "round {round}");
        assert_eq!(client.get("/health/live").unwrap().status, 200, "round {round}");
        proxy.mend();
        wait_until("the database again", || answers(&client));
        wait_until("ready again", || client.get("/health/ready").is_some_and(|reply| reply.status == 200));
        let after = load.so_far();
        wait_until("work goes on", || load.so_far() > after + people.len());
        let counted = load.stop();
        assert!(counted.unavailable > 0);
        released.extend(counted.released);
    }
    site.check(&released);
    drop(server);
    owner.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).unwrap();
}
