//! The table of every route. Adding an endpoint is adding a row in its area's file; the authorisation tests walk this.

use super::api;
use super::route::Route;

/// Every route of the server, in the order of their areas.
#[must_use]
pub fn all() -> Vec<Route> {
    let mut all = Vec::new();
    all.extend(api::accords::routes());
    all.extend(api::statutes::routes());
    all
}
