//! The table of every route. Adding an endpoint is adding a row in its area's file; the authorisation tests walk this.

use super::api;
use super::route::Route;

/// Every route of the server, in the order of their areas.
#[must_use]
pub fn all() -> Vec<Route> {
    [api::audit::routes(), api::pathways::routes(), api::circle::routes(), api::items::routes()]
        .into_iter()
        .flatten()
        .collect()
}
