//! Bad input, from the command line and through HTTPS: a clear answer in French, nothing written, nothing lost.
//!
//! Not here: what has its own tests beside the code (every message of the charter reader, every rule of a field), an
//! unreadable body at an open door, a second server and a port in use of a running program (`edge`), every day, text and
//! list of every body (`strict_bodies`).
#![expect(clippy::indexing_slicing, reason = "JSON that lacks a field must stop the test")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use relais::audit::LeafBody;
use relais::clock::{ManualClock, Timestamp};
use relais::domain::record::Verdict;
use relais::web::route::{Door, Method};
use serde_json::{Value, json};

use super::stories_world::*;

/// What a command answered.
struct Told {
    good: bool,
    out: String,
    err: String,
}

/// A real instance, made and asked by the command line only.
struct Instance {
    folder: tempfile::TempDir,
    listen: String,
}

impl Instance {
    fn made() -> Self {
        let it = Self { folder: tempfile::tempdir().unwrap(), listen: "127.0.0.1:0".to_owned() };
        let told = it.run(&[
            "init",
            "--create-key",
            "--organisation",
            "Ville de Val-d'Orme",
            "--territory",
            "Val-d'Orme",
            "--telephone",
            "0102030405",
            "--admin",
            "a.martin:Anne Martin:0601020304",
            "--admin",
            "b.petit:Bruno Petit:0601020305",
        ]);
        assert!(told.good, "{}{}", told.out, told.err);
        assert!(it.run(&["certs", "make"]).good);
        it
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn kek(&self) -> PathBuf {
        self.folder.path().join("kek")
    }

    fn run(&self, arguments: &[&str]) -> Told {
        relais(&self.data(), &self.kek(), &self.listen, arguments)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The log as its verifier sees it: it holds, and its size and root.
    fn log(&self) -> Value {
        let told = self.run(&["audit", "verify", "--json"]);
        assert!(told.good, "{}{}", told.out, told.err);
        let seen: Value = serde_json::from_str(&told.out).unwrap();
        assert_eq!(seen["holds"], true);
        json!([seen["records"], seen["root"]])
    }

    fn organisations(&self) -> String {
        let told = self.run(&["organisation", "list"]);
        assert!(told.good, "{}", told.err);
        told.out
    }

    fn sql(&self, text: &str) {
        let path = self.data().join("relais.db");
        SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(text).unwrap();
    }
}

fn relais(data: &Path, kek: &Path, listen: &str, arguments: &[&str]) -> Told {
    let done = Command::new(env!("CARGO_BIN_EXE_relais"))
        .args(arguments)
        .env_clear()
        .env("RELAIS_DATA", data)
        .env("RELAIS_KEK_FILE", kek)
        .env("RELAIS_LISTEN", listen)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Told { good: done.status.success(), out: text(&done.stdout), err: text(&done.stderr) }
}

fn says(told: &Told, words: &[&str]) {
    let all = format!("{}{}", told.out, told.err);
    assert!(!told.good, "{all}");
    assert!(!all.contains("panicked"), "{all}");
    for word in words {
        assert!(all.contains(word), "« {word} » is not told: {all}");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_malformed_charter_is_told_by_line_and_column_and_not_published() {
    let it = Instance::made();
    let before = it.log();
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/charters/demonstration");
    let dir = it.folder.path().join("charte");
    copy(&good, &dir);
    let folder = dir.to_str().unwrap();
    let policy = std::fs::read_to_string(good.join("policy.csv")).unwrap();
    let toml = std::fs::read_to_string(good.join("charter.toml")).unwrap();
    for (file, broken, words) in [
        (
            "policy.csv",
            format!("{policy}\np, teacher, not_bound, schooling\n").into_bytes(),
            &["policy.csv, ligne"][..],
        ),
        (
            "policy.csv",
            policy.replacen("teacher", "wizard", 1).into_bytes(),
            &["policy.csv, ligne", "wizard"],
        ),
        ("policy.csv", vec![b'p', b',', 0xff, 0xfe], &["policy.csv"]),
        ("charter.toml", toml.replacen("[", "[[", 1).into_bytes(), &["charter.toml, ligne"]),
        ("charter.toml", format!("{toml}\nunknown_key = 1\n").into_bytes(), &["charter.toml"]),
        ("charter.toml", Vec::new(), &["charter.toml"]),
    ] {
        copy(&good, &dir);
        std::fs::write(dir.join(file), broken).unwrap();
        says(&it.run(&["charter", "check", folder]), words);
        says(&it.run(&["charter", "publish", folder]), words);
    }
    std::fs::remove_file(dir.join("policy.csv")).unwrap();
    says(&it.run(&["charter", "check", folder]), &["policy.csv"]);
    says(&it.run(&["charter", "check", "/nowhere/at/all"]), &["/nowhere/at/all"]);
    assert_eq!(it.log(), before, "nothing was published");
}

#[test]
fn csv_files_with_wrong_columns_write_nothing() {
    let it = Instance::made();
    let before = it.organisations();
    let header = "code,name,kind,territory,telephone,missions";
    let row = "rue,Rue & Liens,association,Val-d'Orme,0102030402,prevention:Prévention";
    for (text, words) in [
        (format!("{}\n{row}\n", header.replace("kind", "sort")), &["ligne 1", "colonne inconnue"][..]),
        (format!("{}\n{row}\n", header.replace(",kind", "")), &["ligne"]),
        (format!("{header},code\n{row},x\n"), &["ligne 1", "code"]),
        (format!("{header}\n{row},de trop\n"), &["ligne 2"]),
        (
            format!("{header}\n{row}\n{}\n", row.replace("association", "sect").replace("rue", "autre")),
            &["ligne 3"],
        ),
        (format!("{header}\n{}\n", row.replace("0102030402", "12")), &["ligne 2"]),
        (String::new(), &["vide"]),
    ] {
        let file = it.file("structures.csv", text.as_bytes());
        says(&it.run(&["import", "organisations", &file]), words);
    }
    let file = it.file("structures.csv", b"code,name\n\xff\xfe,x\n");
    says(&it.run(&["import", "organisations", &file]), &["UTF-8"]);
    assert_eq!(it.organisations(), before, "good lines beside a wrong one are not written either");
    it.log();

    let table =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/decision-table.csv"))
            .unwrap();
    for (text, words) in [
        (table.replacen("recipient_secrecy", "secret", 1), &["ligne 1"][..]),
        (table.replacen("recipient_profession,", "", 1), &["ligne"]),
        (table.replacen("informed", "told", 1), &["ligne", "colonne", "told"]),
        (String::new(), &["vide"]),
    ] {
        let file = it.file("rows.csv", text.as_bytes());
        let told = it.run(&["charter", "decide", &file]);
        says(&told, words);
        assert_eq!(told.out, "", "nothing is written");
    }
    let file = it.file("rows.csv", table.as_bytes());
    assert!(it.run(&["charter", "decide", &file]).good, "the table itself is read");
}

#[test]
fn keys_databases_and_addresses_that_are_not_the_right_ones_start_nothing() {
    let mut it = Instance::made();
    let before = it.log();
    let mode =
        |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();

    mode(&it.kek(), 0o644);
    says(&it.run(&["serve"]), &["clé de chiffrement"]);
    says(&it.run(&["organisation", "list"]), &["clé de chiffrement"]);
    mode(&it.kek(), 0o600);

    let other = Instance::made();
    let (mine, aside) = (it.kek(), it.folder.path().join("aside"));
    std::fs::rename(&mine, &aside).unwrap();
    std::fs::copy(other.kek(), &mine).unwrap();
    mode(&mine, 0o600);
    says(&it.run(&["serve"]), &["scellée sous la clé"]);
    std::fs::write(&mine, b"short").unwrap();
    says(&it.run(&["serve"]), &["clé de chiffrement"]);
    std::fs::remove_file(&mine).unwrap();
    says(&it.run(&["serve"]), &["clé de chiffrement"]);
    std::fs::rename(&aside, &mine).unwrap();

    it.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')");
    says(&it.run(&["serve"]), &["plus récente", "20991231000001"]);
    says(&it.run(&["migrate"]), &["20991231000001"]);
    it.sql("DELETE FROM __diesel_schema_migrations WHERE version = '20991231000001'");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    it.listen = taken.local_addr().unwrap().to_string();
    says(&it.run(&["serve"]), &["déjà utilisée", &it.listen.clone()]);
    it.listen = "nonsense".to_owned();
    says(&it.run(&["serve"]), &["listen"]);
    drop(taken);

    // Two servers on one data folder: the second says so and leaves the first alone.
    it.listen = "127.0.0.1:0".to_owned();
    let mut first = Command::new(env!("CARGO_BIN_EXE_relais"))
        .arg("serve")
        .env_clear()
        .env("RELAIS_DATA", it.data())
        .env("RELAIS_KEK_FILE", it.kek())
        .env("RELAIS_LISTEN", &it.listen)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // The lock's file is there from earlier starts: only the first server's own word says that it holds it.
    let mut said = BufReader::new(first.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("listening")), "the first server does not start");
    let told = it.run(&["serve"]);
    let running = first.try_wait().unwrap().is_none();
    first.kill().unwrap();
    first.wait().unwrap();
    says(&told, &["déjà"]);
    assert!(running, "the first server goes on");

    // What was kept is as it was, and the right key opens it.
    assert_eq!(it.log(), before);
    assert!(it.organisations().contains("Val-d'Orme"));
}

/// The newest records first: decision and request.
fn last_record(s: &Story, request: &str) -> LeafBody {
    let mut snapshot = s.server.app.store().snapshot().unwrap();
    let mut index = i64::try_from(s.server.app.lane().stats().records).unwrap() + 2000;
    loop {
        index -= 1;
        assert!(index >= 0, "no record of {request}");
        let Some(body) = snapshot.log_body(index).unwrap() else { continue };
        let body = LeafBody::parse(&body).unwrap();
        if body.request.to_string() == request {
            return body;
        }
    }
}

#[test]
fn absurd_dates_are_refused_by_field_and_nothing_is_written() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2011-04-20");
    let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
    let lines = vec![s.line(SAMIRA, &["schooling"], &[])];
    s.accord(NADIA, &p, "coordination", 300, lines.clone(), &[&mother, &father, "young_person"]);
    let samira = s.invite(NADIA, &p, SAMIRA, "contractual");
    let school = s.fact(NADIA, &p, "schooling", "Vient à l'aide aux devoirs");
    let circle = s.read(NADIA, &format!("/api/v1/pathways/{p}/circle"));
    let me = circle["items"].as_array().unwrap().iter().find(|i| i["me"] == true).unwrap()["id"].clone();
    let pages = ["", "/holders", "/accords", "/shares", "/preference", "/circle", "/items", "/spoken"];
    let seen = || -> Vec<Value> {
        pages.iter().map(|page| s.read(NADIA, &format!("/api/v1/pathways/{p}{page}"))).collect()
    };
    let before = seen();
    let lists = s.read(NADIA, "/api/v1/pathways");
    let at = |rest: &str| format!("/api/v1/pathways/{p}/{rest}");
    let preference = |on: &str| json!({ "said_by": "young_person", "wish": "La même personne.", "on": on });
    let opening = |birth: &str, review: &str| json!({ "person": { "nickname": "Zed", "birth_date": birth }, "preference": preference(&s.day(0)), "review_on": review, "mandate": "contractual" });
    let accord = |starts: &str, ends: &str| json!({ "purpose": "coordination", "starts": starts, "ends": ends, "language": "fr", "lines": lines });
    let share = |last: &str| json!({ "purpose": "coordination", "last_day": last, "items": [{ "item": school.item, "version": school.version }], "recipients": [samira] });
    let absurd = [
        "9999-12-31",
        "1800-01-01",
        "2027-02-30",
        "0000-00-00",
        "+12027-01-01",
        "2027-1-1",
        "31/12/2027",
        "-2027-01-01",
        "",
    ];
    for day in absurd {
        for (path, body) in [
            ("/api/v1/pathways".to_owned(), opening(day, &s.day(100))),
            ("/api/v1/pathways".to_owned(), opening("2011-04-20", day)),
            (at("preference"), preference(day)),
            (at("course"), json!({ "step": "contact", "review_on": day })),
            (at("emancipation"), json!({ "on": day })),
            (at("accords"), accord(day, &s.day(100))),
            (at("accords"), accord(&s.day(0), day)),
            (at("shares"), share(day)),
            (
                at("spoken"),
                json!({ "recipient": samira, "category": "schooling", "purpose": "coordination", "on": day }),
            ),
            (at("transmissions"), json!({ "on": day, "to": "crip" })),
            (at("actions"), json!({ "category": "schooling", "what": "Aide", "by_when": day, "who": me })),
            (at(&format!("holders/{mother}/end")), json!({ "last_day": day })),
            (
                at("participations"),
                json!({ "assignment": s.own(PAUL)["id"], "mandate": "contractual", "role": "stay_organiser", "until": day }),
            ),
        ] {
            let reply = s.post(NADIA, &path, body);
            let what = format!("{path} with « {day} »: {} {}", reply.status, text(&reply));
            assert_eq!(reply.status, 422, "{what}");
            let seen = reply.json();
            let sentence = match seen["errors"][0]["message"].as_str() {
                Some(message) => message.to_owned(),
                None => seen["detail"].as_str().unwrap().to_owned(),
            };
            assert!(sentence.len() > 10 && (day.is_empty() || !text(&reply).contains(day)), "{what}");
            let record = last_record(&s, reply.header("relais-request").unwrap());
            assert_eq!(record.decision, Verdict::Failed, "{what}");
            assert_eq!(record.write_digest, None, "{what}");
        }
    }
    assert_eq!(seen(), before, "nothing was written");
    assert_eq!(
        s.read(NADIA, "/api/v1/pathways")["items"].as_array().unwrap().len(),
        lists["items"].as_array().unwrap().len()
    );
}

#[test]
fn bodies_that_are_too_large_or_not_text_are_refused_recorded_and_nothing_of_them_is_kept() {
    let s = Story::begin();
    let p = s.open(NADIA, "Lina", "2011-04-20");
    let client = s.of(NADIA).with("Content-Type", "application/json");
    let mut ten = b"{\"text\":\"".to_vec();
    ten.resize(10 * 1024 * 1024, b'z');
    let taking = api_routes()
        .into_iter()
        .filter(|r| r.door == Door::Session && r.body.is_some() && r.method == Method::Post);
    let mut tried = 0;
    for (n, route) in taking.enumerate() {
        let path = route.path.replace("{pathway}", &p);
        let path: Vec<&str> = path
            .split('/')
            .map(|part| if part.starts_with('{') { "aaaaaaaaaaaaaaaaaaaaaaaaaa" } else { part })
            .collect();
        let path = path.join("/");
        // Ten megabytes take a while in each of fifty: every tenth route.
        let bodies: [(&[u8], u16, &str); 4] = [
            (&ten, 413, "body_too_large"),
            (b"{\"text\":\"\xc3\x28\"}", 422, "invalid"),
            (b"\xff\xfe\x00", 422, "invalid"),
            (b"{\"text\":\"a\"} trailing", 422, "invalid"),
        ];
        for (body, status, code) in bodies.into_iter().skip(usize::from(n % 10 != 0)) {
            let reply = client.send("POST", &path, Some(body));
            let what = format!("{path}: {} {}", reply.status, text(&reply));
            // An id that never was is told before what is in the body is read.
            if reply.status != 404 {
                assert_eq!((reply.status, reply.code().as_str()), (status, code), "{what}");
                assert!(
                    reply.json()["detail"].as_str().unwrap().contains("Rien n'a été enregistré")
                        || status == 413,
                    "{what}"
                );
            }
            assert_eq!(last_record(&s, reply.header("relais-request").unwrap()).write_digest, None, "{what}");
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
    // What is not UTF-8 in an address names nothing.
    for path in ["/api/v1/pathways/%FF%FE", "/api/v1/items/%C3%28", "/api/v1/pathways/%00/circle"] {
        let reply = s.get(NADIA, path);
        assert_eq!((reply.status, reply.code().as_str()), (404, "not_found"), "{path}");
    }
    assert_eq!(s.get(NADIA, "/api/v1/pathways?cursor=%FF").status, 422);
    assert!(s.read(NADIA, &format!("/api/v1/pathways/{p}/notes"))["items"].as_array().unwrap().is_empty());
    assert_eq!(s.get(NADIA, &format!("/api/v1/pathways/{p}")).status, 200, "and the server goes on");
}

#[test]
fn a_clock_set_back_opens_nothing_again_moves_no_record_and_stops_the_node_when_it_is_far() {
    let mut s = Story::begin();
    let p = s.open(NADIA, "Lina", "2011-04-20");
    let (mother, father) = (s.holder(NADIA, &p, "Karima"), s.holder(NADIA, &p, "Olivier"));
    let lines = vec![s.line(SAMIRA, &["schooling"], &[])];
    s.accord(NADIA, &p, "coordination", 300, lines, &[&mother, &father, "young_person"]);
    let samira = s.invite(NADIA, &p, SAMIRA, "contractual");
    let school = s.fact(NADIA, &p, "schooling", "Vient à l'aide aux devoirs");
    s.share(NADIA, &p, s.share_body("coordination", 10, &[&school], &[&samira]));
    // The first second after the share's last day.
    let over = Timestamp::paris_midnight(s.today()).plus_seconds(11 * 86_400 + 1);
    s.go(over);
    assert!(!s.reads(SAMIRA, &school, "coordination"), "the share has ended");
    let (samira, item) = (s.of(SAMIRA), format!("/api/v1/items/{}?purpose=coordination", school.item));
    // A little back, to a moment at which the share ran: the log's last moment holds, and work goes on.
    s.server.clock.set(over.plus_seconds(-3));
    assert_eq!(samira.get(&item).status, 404);
    let notes = format!("/api/v1/pathways/{p}/notes");
    assert_eq!(samira.post(&notes, &json!({ "text": "À rappeler" })).status, 201);
    // Days back: nothing is shown or written, in words, until somebody has looked.
    s.server.clock.set(over.plus_seconds(-5 * 86_400));
    let refused = samira.get(&item);
    assert_eq!((refused.status, refused.code().as_str()), (503, "unavailable"), "{}", text(&refused));
    assert!(text(&refused).contains("rien n'a été montré ni modifié"), "{}", text(&refused));
    s.server.clock.set(over.plus_seconds(60));
    assert_eq!(samira.post(&notes, &json!({ "text": "Encore" })).status, 503);
    assert_eq!(samira.get("/health/ready").status, 503);
    assert_eq!(samira.get("/health/live").status, 200);
    drop(s.server.stop());
    let data = s.server.folder.path().to_owned();
    let told = relais(&data, &data.join("none"), "127.0.0.1:0", &["audit", "verify"]);
    assert!(told.good, "{}{}", told.out, told.err);
    // Started again with the right time, it goes on where it was.
    let clock = Arc::new(ManualClock::new(over.plus_seconds(120)));
    drop(crate::support::build(&crate::support::settings(&data), &clock).unwrap());
}
