//! `/metrics` for Prometheus: a listener of its own on the loopback address, off unless the settings open it.
//!
//! INVARIANT: it is never a route of the public listener, has one path and one method, and takes no body.
//! INVARIANT: no label but a place in a list of this program (a witness by its place in the settings, a job by its name):
//! nothing that is measured tells of a structure, a person, a category or a reason.
//!
//! It speaks plain HTTP: what it says does not leave the machine. It is not recorded, since it touches nobody.

use std::fmt::{Display, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::web::{self, Data};
use actix_web::{App as Web, HttpRequest, HttpResponse, HttpServer};

use crate::audit::lane::BATCH_BOUNDS;
use crate::service::App;
use crate::service::measures::{LogMeasures, Measures};

/// What a scraper is told that it gets (Prometheus text exposition format).
const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Scrapes wait for the database; more of them at once would only wait longer.
const WAITING: usize = 2;
/// The label of a job's name. Not `job`: the scraper gives each line one of that name, and would rename ours.
const TASK: &str = "task";

/// How long ago a job ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobAge {
    pub name: &'static str,
    /// Seconds since it began.
    pub ran: i64,
    /// Seconds since it last ended without an error.
    pub well: Option<i64>,
}

/// Who knows the jobs: they are another room.
pub type JobAges = Arc<dyn Fn() -> Vec<JobAge> + Send + Sync>;

/// The exposition, line by line.
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP relais_{name} {help}"));
        self.line(format_args!("# TYPE relais_{name} {kind}"));
    }

    fn line(&mut self, line: impl Display) {
        // Writing into memory does not fail.
        let _in_memory = writeln!(self.0, "{line}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.head(name, kind, help);
        self.line(format_args!("relais_{name} {value}"));
    }

    fn known(&mut self, name: &str, help: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.one(name, "gauge", help, value);
        }
    }

    /// One gauge for several things of this program, told apart by one label.
    fn each<L: Display, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl IntoIterator<Item = (L, Option<V>)>,
    ) {
        let mut first = true;
        for (which, value) in values {
            let Some(value) = value else { continue };
            if std::mem::take(&mut first) {
                self.head(name, "gauge", help);
            }
            self.line(format_args!("relais_{name}{{{label}=\"{which}\"}} {value}"));
        }
    }
}

fn lane(page: &mut Page, measures: &Measures) {
    let lane = &measures.lane;
    let stats = &lane.stats;
    page.one("lane_depth", "gauge", "Jobs that wait for the log.", lane.depth);
    page.one("lane_capacity", "gauge", "Jobs that may wait for the log.", lane.capacity);
    page.one("lane_stopped", "gauge", "1 when the lane stopped for good.", u8::from(lane.stopped));
    page.one("lane_batches_total", "counter", "Batches committed.", stats.batches);
    page.one("lane_records_total", "counter", "Records committed.", stats.records);
    page.one("lane_given_up_total", "counter", "Batches that could not be written.", stats.given_up);
    page.one(
        "lane_turned_away_total",
        "counter",
        "Jobs turned away because too many waited.",
        stats.turned_away,
    );
    page.head("lane_batch_jobs", "histogram", "Jobs in one committed batch.");
    let mut up_to = 0_u64;
    for (bound, many) in BATCH_BOUNDS.iter().zip(stats.sizes) {
        up_to = up_to.saturating_add(many);
        page.line(format_args!("relais_lane_batch_jobs_bucket{{le=\"{bound}\"}} {up_to}"));
    }
    page.line(format_args!("relais_lane_batch_jobs_bucket{{le=\"+Inf\"}} {}", stats.batches));
    page.line(format_args!("relais_lane_batch_jobs_sum {}", stats.jobs));
    page.line(format_args!("relais_lane_batch_jobs_count {}", stats.batches));
}

fn log(page: &mut Page, log: &LogMeasures) {
    page.one("log_records", "gauge", "Records of the log.", log.size);
    page.one("log_losses", "gauge", "Losses of records that two people declared.", log.losses);
    page.known(
        "checkpoint_age_seconds",
        "Since the last record that the last checkpoint covers.",
        log.checkpoint_age,
    );
    page.known(
        "checkpoint_lag_seconds",
        "Since the oldest record that no checkpoint covers; 0 when all are covered.",
        log.unsigned_age,
    );
    let by_place = || log.witnesses.iter().enumerate();
    page.each(
        "cosignature_age_seconds",
        "Since this witness last cosigned; absent when it never did.",
        "witness",
        by_place().map(|(place, w)| (place, w.age)),
    );
    page.each(
        "cosignature_behind_records",
        "Records of the last checkpoint that this witness has not seen.",
        "witness",
        by_place().map(|(place, w)| (place, Some(w.behind))),
    );
    page.each(
        "witness_contradicts",
        "1 when this witness says that the log is not the one that it knows.",
        "witness",
        by_place().map(|(place, w)| (place, Some(u8::from(w.contradicts)))),
    );
}

/// The exposition of these measures.
fn exposition(measures: &Measures, jobs: &[JobAge]) -> String {
    let mut page = Page(String::new());
    lane(&mut page, measures);
    page.one(
        "database_up",
        "gauge",
        "1 when the database answers; nothing of the log is measured otherwise.",
        u8::from(measures.log.is_some()),
    );
    if let Some(measured) = &measures.log {
        log(&mut page, measured);
    }
    page.known("disk_free_bytes", "Room where the database file stands.", measures.disk_free);
    page.each(
        "job_age_seconds",
        "Since this job last began on this node.",
        TASK,
        jobs.iter().map(|job| (job.name, Some(job.ran))),
    );
    page.each(
        "job_success_age_seconds",
        "Since this job last ended without an error on this node.",
        TASK,
        jobs.iter().map(|job| (job.name, job.well)),
    );
    page.0
}

/// Whether a request was meant for this machine's own address.
///
/// THREAT: a page in a browser on this machine whose name is made to lead here (DNS rebinding) sends its own name.
fn meant_for_here(host: &str) -> bool {
    let address = host.parse::<SocketAddr>().map(|a| a.ip()).or_else(|_| host.parse::<IpAddr>());
    match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.starts_with("localhost:"),
    }
}

struct Shared {
    app: Arc<App>,
    jobs: JobAges,
}

async fn metrics(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    if !host.is_some_and(meant_for_here) {
        return HttpResponse::NotFound().finish();
    }
    let shared = shared.into_inner();
    match web::block(move || exposition(&shared.app.measures(), &(shared.jobs)())).await {
        Ok(text) => HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, MEDIA))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(text),
        Err(_panicked) => HttpResponse::InternalServerError().finish(),
    }
}

/// The running listener. To be called inside an actix system.
///
/// # Errors
/// When the listener cannot be used.
pub fn start(app: Arc<App>, jobs: JobAges, listener: TcpListener) -> std::io::Result<Server> {
    let shared = Data::new(Shared { app, jobs });
    let server = HttpServer::new(move || {
        Web::new()
            .app_data(Data::clone(&shared))
            .service(web::resource("/metrics").route(web::get().to(metrics)))
    })
    .workers(1)
    .worker_max_blocking_threads(WAITING)
    .client_request_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(30))
    .shutdown_timeout(1)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok(server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::lane::LaneStats;
    use crate::service::measures::{LaneMeasures, WitnessMeasures};

    fn measures() -> Measures {
        let stats = LaneStats {
            batches: 6,
            records: 40,
            jobs: 300,
            sizes: [2, 1, 0, 1, 1],
            given_up: 3,
            turned_away: 7,
            ..LaneStats::default()
        };
        let seen = WitnessMeasures { age: Some(61), behind: 4, contradicts: false };
        let never = WitnessMeasures { age: None, behind: 90, contradicts: true };
        Measures {
            lane: LaneMeasures { depth: 5, capacity: 1024, stats, stopped: false },
            disk_free: Some(1_000_000),
            log: Some(LogMeasures {
                size: 92,
                losses: 1,
                checkpoint_age: Some(30),
                unsigned_age: Some(12),
                witnesses: vec![seen, never],
            }),
        }
    }

    #[test]
    fn the_exposition_is_one_that_prometheus_reads() {
        let jobs = [
            JobAge { name: "checkpoints", ran: 3, well: Some(3) },
            JobAge { name: "sweep", ran: 9, well: None },
        ];
        let said = exposition(&measures(), &jobs);
        for line in [
            "relais_lane_depth 5",
            "relais_lane_batch_jobs_bucket{le=\"1\"} 2",
            "relais_lane_batch_jobs_bucket{le=\"16\"} 3",
            "relais_lane_batch_jobs_bucket{le=\"256\"} 5",
            "relais_lane_batch_jobs_bucket{le=\"+Inf\"} 6",
            "relais_lane_batch_jobs_sum 300",
            "relais_lane_batch_jobs_count 6",
            "relais_lane_turned_away_total 7",
            "relais_database_up 1",
            "relais_checkpoint_lag_seconds 12",
            "relais_log_losses 1",
            "relais_cosignature_age_seconds{witness=\"0\"} 61",
            "relais_cosignature_behind_records{witness=\"1\"} 90",
            "relais_witness_contradicts{witness=\"1\"} 1",
            "relais_job_age_seconds{task=\"sweep\"} 9",
            "relais_disk_free_bytes 1000000",
        ] {
            assert!(said.lines().any(|l| l == line), "`{line}` is not in:\n{said}");
        }
        assert!(!said.contains("cosignature_age_seconds{witness=\"1\"}"), "never is not 0");
        assert!(
            !said.contains("job_success_age_seconds{task=\"sweep\"}"),
            "nor is a job that never went well"
        );
        for taken in ["{job=", "{instance="] {
            assert!(!said.contains(taken), "a label of the scraper's own: {taken}");
        }
        // What the guide for operators watches is measured.
        let guide = include_str!("../../docs/operations.md");
        for named in guide.split("relais_").skip(1) {
            let name = named.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
            assert!(said.contains(&format!("# TYPE relais_{name} ")), "`relais_{name}` is not measured");
        }
        // Each name is announced once, before its lines, and every line is `name{label="…"} number`.
        let mut announced = std::collections::BTreeSet::new();
        for line in said.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                assert!(announced.insert(rest.split(' ').next().unwrap()), "{line}");
            } else if !line.starts_with("# HELP ") {
                let (what, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().is_ok(), "{line}");
                let name = what.split('{').next().unwrap();
                let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
                assert!(announced.contains(name) || family.is_some_and(|f| announced.contains(f)), "{line}");
            }
        }
    }

    #[test]
    fn a_database_that_does_not_answer_leaves_its_measures_out() {
        let said = exposition(&Measures { log: None, disk_free: None, ..measures() }, &[]);
        assert!(said.contains("relais_database_up 0\n") && said.contains("relais_lane_depth 5\n"));
        for left_out in ["relais_log_records", "relais_checkpoint", "witness", "disk", "job_"] {
            assert!(!said.contains(left_out), "{left_out}");
        }
    }

    #[test]
    fn threat_a_name_that_is_made_to_lead_here_is_not_answered() {
        for own in ["127.0.0.1:9464", "127.0.0.1", "[::1]:9464", "::1", "localhost", "localhost:9464"] {
            assert!(meant_for_here(own), "{own}");
        }
        for other in ["evil.example:9464", "localhost.evil.example", "192.0.2.1:9464", ""] {
            assert!(!meant_for_here(other), "{other}");
        }
    }
}
