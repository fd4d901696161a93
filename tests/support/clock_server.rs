//! The demonstration with a clock that is told what time it is: for the tests in a browser. It is no option of `relais`.
//!
//! `clock_server FOLDER` makes the demonstration in FOLDER when it is not there, and serves it on any free port. It
//! prints one line of JSON (its address, the people, the pathways, the patterns of its pages), then reads one command a
//! line: `go 2027-05-02T00:00:00Z`, `days 3`, `seconds 60`, `stop`, `publish`, which announces the next version of the
//! charter as `relais charter publish` does, and `job NAME`, as `relais jobs run NAME` does. Each is answered by a line
//! with the time. The end of its input stops it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper of tests stops when something is wrong"
)]

use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::PathBuf;
use std::sync::Arc;

use relais::charter::Charter;
use relais::cli::demo;
use relais::clock::{Clock, ManualClock, Timestamp};
use relais::config::Settings;
use relais::crypto::SystemChance;
use relais::service::Author;
use relais::startup::{Application, Signals};
use relais::store::InstanceKind;
use relais::web::route::{Face, Method, Route};
use relais::web::routes;

/// Wednesday 13 January 2027, 09:00 in Paris; the stories begin a day later.
const MADE: Timestamp = Timestamp::from_micros(1_799_827_200_000_000);
const DAY: i64 = 86_400;

/// The patterns of what a browser may open.
fn pages() -> Vec<&'static str> {
    let opened = |route: &Route| route.face() == Face::Page && route.method == Method::Get;
    routes::all().into_iter().filter(opened).map(|route| route.path).collect()
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let environment = BTreeMap::from([("RELAIS_LISTEN".to_owned(), "127.0.0.1:0".to_owned())]);
    let settings = Settings::read(&folder, &environment).unwrap();
    let clock = Arc::new(ManualClock::new(MADE));
    let chance = Arc::new(SystemChance::new());
    let known = if folder.exists() {
        demo::ways_in(&folder).unwrap()
    } else {
        demo::create(&folder, &settings, clock.clone(), chance.clone(), &mut std::io::sink()).unwrap()
    };
    clock.set(MADE.plus_seconds(DAY));
    let application = Application::build(&settings, InstanceKind::Demo, clock.clone(), chance)
        .unwrap()
        .with_demonstration(demo::door(&known));
    let base_url = format!("https://localhost:{}", application.address.port());
    println!(
        "{}",
        serde_json::json!({
            "base_url": base_url, "accounts": known.accounts, "pathways": known.pathways, "pages": pages(),
        })
    );
    let (app, stopper) = (Arc::clone(&application.app), application.stopper());
    let server = std::thread::spawn(move || application.run(Signals::Ignore));
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (word, rest) = line.split_once(' ').unwrap_or((line.as_str(), ""));
        match word {
            "go" => clock.set(Timestamp::parse_rfc3339(rest).unwrap()),
            "days" => clock.set(clock.now().plus_seconds(rest.parse::<i64>().unwrap() * DAY)),
            "seconds" => clock.set(clock.now().plus_seconds(rest.parse::<i64>().unwrap())),
            "publish" => {
                let next = Charter::embedded_demo_v2().unwrap();
                app.charter_publish(Author::Console("charter publish"), &next).unwrap();
            }
            "job" => {
                let job = relais::jobs::find(rest).unwrap();
                (job.run)(&app, clock.now()).unwrap();
            }
            "stop" => break,
            other => panic!("unknown command `{other}`"),
        }
        println!("{}", clock.now().rfc3339());
    }
    stopper.stop();
    server.join().unwrap().unwrap();
}
