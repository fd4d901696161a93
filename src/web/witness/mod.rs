//! The HTTP side of witnesses: [`link`] asks one, [`run`] serves one (`relais audit witness`).
//!
//! INVARIANT: a witness has one route, takes small bodies, and lets no address ask more often than it needs; it logs no
//! body.
//! It is a server apart: none of the routes of Relais is there, and it opens no database.

pub mod link;
mod rate;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::{self, Bytes, Data, PayloadConfig};
use actix_web::{App as Web, HttpRequest, HttpResponse, HttpServer};
use rustls::ServerConfig;

use crate::audit::witness::{Refused, Reply, SIZE_MEDIA};
use crate::clock::Clock;
use crate::service::cosigning::Witness;

use rate::Rate;

/// A proof of the highest tree has three thousand bytes; a checkpoint with many signatures, some ten thousand.
const LARGEST_BODY: usize = 64 * 1024;
/// Checkpoints come once a minute from each log.
const WORKERS: usize = 1;
/// How many requests wait for the disk at once.
const WAITING: usize = 16;

struct Shared {
    witness: Witness,
    clock: Arc<dyn Clock>,
    rate: Rate,
}

/// What one request is answered, without the network.
fn answer(shared: &Shared, body: &[u8]) -> (u16, &'static str, String) {
    const PLAIN: &str = "text/plain; charset=utf-8";
    let Ok(body) = std::str::from_utf8(body) else { return (400, PLAIN, String::new()) };
    match shared.witness.add_checkpoint(body, shared.clock.now()) {
        Ok(reply) => {
            let (status, text) = reply.wire();
            match reply {
                Reply::Refused(Refused::Conflict(_)) => (status, SIZE_MEDIA, text),
                Reply::Refused(why) => {
                    tracing::warn!(?why, "a checkpoint was not cosigned");
                    (status, PLAIN, text)
                }
                Reply::Cosigned(_) | Reply::Other(_) => (status, PLAIN, text),
            }
        }
        Err(error) => {
            tracing::error!(%error, "nothing is cosigned: what was seen of this log cannot be read or kept");
            (500, PLAIN, String::new())
        }
    }
}

fn respond(status: u16, media: &'static str, body: String) -> HttpResponse {
    HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
        .insert_header((header::CONTENT_TYPE, media))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(body)
}

async fn add_checkpoint(shared: Data<Shared>, request: HttpRequest, body: Bytes) -> HttpResponse {
    // THREAT: somebody who keeps the disk or the lock busy, so that the log itself is not attested.
    let from = request.peer_addr().map(|address| address.ip());
    if let Some(seconds) = shared.rate.wait(from, shared.clock.now()) {
        return HttpResponse::TooManyRequests()
            .insert_header((header::RETRY_AFTER, seconds.to_string()))
            .finish();
    }
    let shared = shared.into_inner();
    match web::block(move || answer(&shared, &body)).await {
        Ok((status, media, text)) => respond(status, media, text),
        Err(_panicked) => HttpResponse::InternalServerError().finish(),
    }
}

/// The running witness; it stops on the process's signals, when what is under way
/// is answered.
///
/// # Errors
/// When the listener cannot be used.
fn start(
    witness: Witness,
    clock: Arc<dyn Clock>,
    listener: TcpListener,
    tls: ServerConfig,
) -> std::io::Result<Server> {
    let shared = Data::new(Shared { witness, clock, rate: Rate::default() });
    let server = HttpServer::new(move || {
        Web::new()
            .app_data(Data::clone(&shared))
            .app_data(PayloadConfig::new(LARGEST_BODY))
            .service(web::resource("/add-checkpoint").route(web::post().to(add_checkpoint)))
    })
    .workers(WORKERS)
    .worker_max_blocking_threads(WAITING)
    .client_request_timeout(Duration::from_secs(10))
    .tls_handshake_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(10)
    .listen_rustls_0_23(listener, tls)?
    .run();
    Ok(server)
}

/// Serves until the process is told to stop.
///
/// # Errors
/// When the listener cannot be used, or the server breaks down.
pub fn run(
    witness: Witness,
    clock: Arc<dyn Clock>,
    listener: TcpListener,
    tls: ServerConfig,
) -> std::io::Result<()> {
    actix_web::rt::System::new().block_on(async { start(witness, clock, listener, tls)?.await })
}

#[cfg(test)]
mod tests {
    use actix_web::test as http;

    use super::*;
    use crate::audit::Checkpoint;
    use crate::audit::note::VerifierKey;
    use crate::audit::tree::Frontier;
    use crate::audit::witness::AddCheckpoint;
    use crate::clock::{ManualClock, Timestamp};
    use crate::crypto::SystemChance;
    use crate::crypto::sign::SigningKey;

    #[test]
    fn statuses_media_and_bounds_are_those_of_the_protocol() {
        actix_web::rt::System::new().block_on(asked_and_answered());
    }

    async fn asked_and_answered() {
        const PLAIN: &str = "text/plain; charset=utf-8";
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::from_seed(&[5; 32]).unwrap();
        let log = VerifierKey::new("relais.example/journal", key.public()).unwrap();
        let witness =
            Witness::open(folder.path(), Some("w.example"), vec![log], &SystemChance::new()).unwrap();
        let remembered = witness.remembered("relais.example/journal");
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_800_000_000_000_000)));
        let shared = Data::new(Shared { witness, clock, rate: Rate::default() });
        let app = http::init_service(
            Web::new()
                .app_data(shared)
                .app_data(PayloadConfig::new(LARGEST_BODY))
                .service(web::resource("/add-checkpoint").route(web::post().to(add_checkpoint))),
        )
        .await;
        let mut frontier = Frontier::empty();
        frontier.append([1; 32]);
        let signed = Checkpoint::of("relais.example/journal", &frontier).unwrap().sign(&key).unwrap();
        let asked = |old| AddCheckpoint::new(old, Vec::new(), signed.clone()).to_string();
        let other = asked(0).replace("relais.example/journal", "elsewhere.example");
        let thief = SigningKey::from_seed(&[6; 32]).unwrap();
        let by_another = Checkpoint::of("relais.example/journal", &frontier).unwrap().sign(&thief).unwrap();
        let by_another = AddCheckpoint::new(0, Vec::new(), by_another).to_string();
        frontier.append([2; 32]);
        let longer = Checkpoint::of("relais.example/journal", &frontier).unwrap().sign(&key).unwrap();
        let goes_on = |hash| AddCheckpoint::new(1, vec![[hash; 32]], longer.clone()).to_string();
        let ask = async |body: String, status: u16, media: &str, said: &str| {
            let request = http::TestRequest::post().uri("/add-checkpoint").set_payload(body).to_request();
            let response = http::call_service(&app, request).await;
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().get(header::CONTENT_TYPE).unwrap(), media);
            let body = http::read_body(response).await;
            let text = std::str::from_utf8(&body).unwrap();
            assert!(text.starts_with(said) && text.is_empty() == said.is_empty(), "{status} {text:?}");
        };
        for (body, status, media, said) in [
            (by_another, 403, PLAIN, ""),
            (asked(0), 200, PLAIN, "\u{2014} w.example "),
            (asked(1), 200, PLAIN, "\u{2014} w.example "),
            (asked(0), 409, SIZE_MEDIA, "1\n"),
            (other, 404, PLAIN, ""),
            (goes_on(9), 422, PLAIN, ""),
            ("old".to_owned(), 400, PLAIN, ""),
        ] {
            ask(body, status, media, said).await;
        }
        // What cannot be kept is no cosignature; with room again it is one.
        let mut taken = remembered.into_os_string();
        taken.push(format!(".{}.new", std::process::id()));
        std::fs::create_dir(&taken).unwrap();
        ask(goes_on(2), 500, PLAIN, "").await;
        std::fs::remove_dir(&taken).unwrap();
        ask(goes_on(2), 200, PLAIN, "\u{2014} w.example ").await;
        let large = "x".repeat(LARGEST_BODY + 1);
        for (request, status) in [
            (http::TestRequest::post().uri("/add-checkpoint").set_payload(large), 413),
            (http::TestRequest::get().uri("/add-checkpoint"), 405),
            (http::TestRequest::get().uri("/"), 404),
        ] {
            assert_eq!(http::call_service(&app, request.to_request()).await.status().as_u16(), status);
        }
    }
}
