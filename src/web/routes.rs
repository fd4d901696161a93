//! The table of every route. Adding an endpoint is adding a row in its area's file; the authorisation tests walk this.

use super::route::Route;
use super::{api, pages};

/// Every route of the server: the API's, then the pages'.
#[must_use]
pub fn all() -> Vec<Route> {
    api().into_iter().chain(pages::routes()).collect()
}

/// What exists under `relais demo` only.
#[must_use]
pub fn demonstration() -> Vec<Route> {
    pages::demonstration_routes()
}

/// The API's, in the order of their areas.
#[must_use]
pub fn api() -> Vec<Route> {
    [
        api::meta::routes(),
        api::sessions::routes(),
        api::accounts::routes(),
        api::structures::routes(),
        api::charters::routes(),
        api::pathways::routes(),
        api::circle::routes(),
        api::items::routes(),
        api::preparing::routes(),
        api::accords::routes(),
        api::statutes::routes(),
        api::sharing::routes(),
        api::handovers::routes(),
        api::successions::routes(),
        api::audit::routes(),
        api::looked::routes(),
        api::emergencies::routes(),
        api::reidentifications::routes(),
        api::prunings::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::route::{Door, Face, Method};
    use std::collections::{BTreeMap, BTreeSet};

    fn shape(path: &str) -> String {
        path.split('/').map(|s| if s.starts_with('{') { "{}" } else { s }).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn no_two_rows_answer_the_same_request() {
        let mut seen = BTreeSet::new();
        let mut written: BTreeMap<String, &str> = BTreeMap::new();
        for route in all() {
            assert!(seen.insert((route.method.name(), route.path)), "{} {}", route.method.name(), route.path);
            let first = written.entry(shape(route.path)).or_insert(route.path);
            assert_eq!(*first, route.path, "one path, two names for its parameters");
        }
    }

    #[test]
    fn every_row_is_well_formed() {
        for route in all() {
            let at = format!("{} {}", route.method.name(), route.path);
            match route.face() {
                Face::Api => {
                    assert!(route.path.starts_with("/api/v1/") || route.path.starts_with("/health/"), "{at}");
                }
                // What browsers send without scripts.
                Face::Page => assert!(matches!(route.method, Method::Get | Method::Post), "{at}"),
            }
            for segment in route.path.split('/').skip(1) {
                let name = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')).unwrap_or(segment);
                if route.path == "/" {
                    continue;
                }
                assert!(
                    !name.is_empty()
                        && name
                            .chars()
                            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c)),
                    "{at}"
                );
            }
            assert!(!route.summary.is_empty() && !route.summary.ends_with('.'), "{at}: summary");
            // What is searched for never stands in an address: it would stay in histories and logs.
            assert!(!(route.method == Method::Get && route.body.is_some()), "{at}: GET has no body");
            assert!(
                route.query.iter().all(|q| !["q", "search", "name"].contains(q)),
                "{at}: search terms travel in bodies"
            );
        }
    }

    #[test]
    fn the_door_of_a_demonstration_is_no_row_of_a_real_server() {
        assert!(all().iter().all(|r| !r.path.starts_with("/demonstration")));
        assert!(demonstration().iter().all(|r| r.path.starts_with("/demonstration/")));
    }

    #[test]
    fn what_is_open_is_a_short_list_that_people_review() {
        let open: Vec<_> = all()
            .iter()
            .filter(|r| r.door == Door::Open)
            .map(|r| format!("{} {}", r.method.name(), r.path))
            .collect();
        assert_eq!(
            open,
            [
                "GET /api/v1/openapi.json",
                "GET /health/live",
                "GET /health/ready",
                "POST /api/v1/sessions",
                "POST /api/v1/accounts/open",
                "POST /api/v1/accounts/open/confirm",
                "GET /assets/{hash}/{name}",
                "GET /connexion",
                "POST /connexion",
                "GET /au-revoir",
                "GET /ouvrir",
                "POST /ouvrir",
                "POST /ouvrir/confirmer",
            ]
        );
    }
}
