//! SECURITY §4: every answer carries the headers, whatever it answers.

use relais::web::route::Method;
use relais::web::routes;

use crate::support::{Reply, TestServer};

const FIXED: &[(&str, &str)] = &[
    ("strict-transport-security", "max-age=63072000"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
];

pub fn check(reply: &Reply, at: &str) {
    for (name, value) in FIXED {
        assert_eq!(reply.header(name), Some(*value), "{at}: {name}");
    }
    let policy = reply.header("content-security-policy").unwrap_or_else(|| panic!("{at}: no policy"));
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.split("; ").any(|p| p == part), "{at}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("data:"), "{at}: {policy}");
    assert_eq!(reply.header("relais-request").map(str::len), Some(26), "{at}: request id");
    assert_eq!(reply.header("server"), None, "{at}: no need to say what answers");
}

#[test]
fn every_route_and_every_kind_of_refusal_carries_them() {
    let server = TestServer::start();
    let client = server.client();
    for route in routes::all() {
        let path = route.path.replace(['{', '}'], "");
        let reply = client.send(route.method.name(), &path, None);
        check(&reply, &format!("{} {path}: {}", route.method.name(), reply.status));
        if route.method == Method::Get {
            let reply = client.delete(&path);
            check(&reply, &format!("DELETE {path}: {}", reply.status));
        }
    }
    for path in ["/nothing", "/api/v1", "/api/v1/../../etc/passwd", "/%2e%2e/x", "/api/v1/openapi.json/"] {
        let reply = client.get(path);
        assert_eq!(reply.status, 404, "{path}");
        check(&reply, path);
    }
}

#[test]
fn each_answer_has_its_own_request_id() {
    let server = TestServer::start();
    let client = server.client();
    let (one, two) = (client.get("/health/live"), client.get("/health/live"));
    assert_ne!(one.header("relais-request"), two.header("relais-request"));
}
