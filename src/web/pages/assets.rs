//! Stylesheet, script, typeface and drawings: in the binary, the same for everybody, named by the hash of all of them.
//!
//! They are the only answers that a browser may keep.

use std::sync::OnceLock;

use crate::crypto::hash::sha256;
use crate::domain::record::{Action, ResourceKind};
use crate::service::{App, ServiceError};
use crate::web::route::{Answer, Door, Fault, Incoming, Method, Route};

struct Asset {
    name: &'static str,
    media: &'static str,
    body: &'static [u8],
}

macro_rules! vendored {
    ($media:literal: $($name:literal),* $(,)?) => {
        [$(Asset { name: $name, media: $media, body: include_bytes!(concat!("../assets/vendor/", $name)) }),*]
    };
}

const STYLE: &str = "text/css; charset=utf-8";
const DRAWING: &str = "image/svg+xml";

fn all() -> impl Iterator<Item = Asset> {
    let own = [
        Asset { name: "relais.css", media: STYLE, body: include_bytes!("../assets/relais.css") },
        Asset {
            name: "relais.js",
            media: "text/javascript; charset=utf-8",
            body: include_bytes!("../assets/relais.js"),
        },
        Asset { name: "relais.svg", media: DRAWING, body: include_bytes!("../assets/relais.svg") },
    ];
    own.into_iter()
        .chain(vendored!("text/css; charset=utf-8": "pico.css"))
        .chain(vendored!("font/woff2": "atkinson-hyperlegible-latin-400.woff2", "atkinson-hyperlegible-latin-700.woff2"))
        .chain(vendored!("image/svg+xml":
            "pico-1.svg", "pico-2.svg", "pico-3.svg", "pico-4.svg", "pico-5.svg", "pico-6.svg", "pico-7.svg",
            "pico-8.svg", "pico-9.svg", "pico-10.svg", "pico-11.svg", "pico-12.svg",
        ))
}

/// The folder of the assets in addresses: it changes when one of them does.
pub fn base() -> &'static str {
    static BASE: OnceLock<String> = OnceLock::new();
    BASE.get_or_init(|| {
        let parts: Vec<&[u8]> = all().flat_map(|asset| [asset.name.as_bytes(), asset.body]).collect();
        let hash = data_encoding::HEXLOWER.encode(&sha256(&parts));
        format!("/assets/{}", hash.chars().take(16).collect::<String>())
    })
}

fn asset(_app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let absent = || Fault::Syntax(ServiceError::AbsentOrRefused);
    let name = incoming.path.get("name").ok_or_else(absent)?;
    let current = incoming.path.get("hash").is_some_and(|h| base().ends_with(h.as_str()) && h.len() == 16);
    let found = all().find(|a| a.name == name && current).ok_or_else(absent)?;
    Ok(Answer::Asset { media: found.media, body: found.body })
}

/// The one row.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![Route {
        method: Method::Get,
        path: "/assets/{hash}/{name}",
        door: Door::Open,
        action: Action::Read,
        resource: ResourceKind::Instance,
        summary: "Style, script, typeface and drawings of the pages",
        query: &[],
        body: None,
        answer: None,
        handle: asset,
    }]
}
