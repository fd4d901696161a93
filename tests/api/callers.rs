//! The product route × caller: every row of the route table is asked by every kind of caller, with a request that is
//! valid but for who makes it.
//!
//! A new route without a row here fails. A refused caller is answered as for what never existed, byte by byte; the
//! right caller acts last, on what the others have tried to act on. Each request with a session has one record.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use relais::web::route::Door;

use super::callers_asks::ask;
use super::callers_world::{Ask, NOBODY, SOPHIE, World};
use super::stories_world::*;
use crate::support::{Client, Reply};

/// This cell makes no sense for this route; [`Row::why`] says why, or the route takes no purpose.
const NA: u16 = 0;
/// This caller is the right one.
const IS: u16 = 1;

const CALLERS: [&str; 9] = [
    "anonymous",
    "outsider",
    "ended participation",
    "withdrawn accord",
    "wrong purpose",
    "contributor-only",
    "auditor",
    "administrator",
    "right",
];
const LOGINS: [&str; 9] = [NOBODY, REMI, SOPHIE, JULIE, NOBODY, CLAIRE, IRENE, ALICE, NOBODY];
const WRONG: usize = 4;
const RIGHT: usize = 8;

struct Row {
    method: &'static str,
    path: &'static str,
    cells: [u16; 9],
    /// Why a cell other than « wrong purpose » makes no sense, or why the right caller is refused: by this code.
    why: &'static str,
}

const fn row(method: &'static str, path: &'static str, cells: [u16; 9]) -> Row {
    Row { method, path, cells, why: "" }
}

const fn but(row: Row, why: &'static str) -> Row {
    Row { why, ..row }
}

/// An open door knows no callers.
const OPEN: &str = "an open door: it is asked before anybody is known, so there is one caller";
/// Everybody has one of these, and only their own.
const OWN: &str = "acts on the caller's own session or password, which nobody else can name";

include!("callers_table.rs");

/// Methods and templates in the order of the table, with the code that refuses the right caller where one does.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    TABLE.iter().map(|row| (row.method, row.path, row.why))
}

/// Headers and body.
type Shown = (Vec<(String, String)>, Vec<u8>);

struct Walk {
    w: World,
    plain: Client,
    /// Request id, and whether the request had a session or tried to get one.
    asked: Vec<(String, bool, String)>,
    wrong: Vec<String>,
    /// The bytes of every 404.
    absent: BTreeSet<Shown>,
}

/// What an answer shows, but for its moment and its request id.
fn shown(reply: &Reply) -> Shown {
    let own = ["date", "relais-request"];
    let headers = reply.headers.iter().filter(|(n, _)| !own.contains(&n.as_str()));
    (headers.map(|(n, v)| (n.clone(), v.clone())).collect(), reply.body.clone())
}

/// The same address with ids that nothing ever had.
fn never(path: &str, template: &str) -> String {
    let holes = template.split('/').map(|t| t.starts_with('{'));
    let (path, query) = path.split_once('?').map_or((path, String::new()), |(p, q)| (p, format!("?{q}")));
    let filled: Vec<&str> = path
        .split('/')
        .zip(holes)
        .map(|(part, hole)| match hole {
            true if part.len() == 26 => "aaaaaaaaaaaaaaaaaaaaaaaaaa",
            true => "999999999",
            false => part,
        })
        .collect();
    format!("{}{query}", filled.join("/"))
}

impl Walk {
    fn send(
        &mut self,
        who: &str,
        own: Option<&Client>,
        method: &str,
        path: &str,
        ask: &Ask,
        wrong: bool,
    ) -> Reply {
        let mut client = match (own, who) {
            (Some(own), _) => own.clone(),
            (None, NOBODY) => self.plain.clone(),
            (None, login) => self.w.s.of(login),
        };
        if let Some(tag) = &ask.if_match {
            client = client.with("If-Match", tag);
        }
        let body = match (&ask.wrong, wrong) {
            (Some((_, body)), true) => body.as_ref(),
            _ => ask.body.as_ref(),
        };
        let reply = match body {
            Some(body) => client.with("Content-Type", "application/json").send(
                method,
                path,
                Some(body.to_string().as_bytes()),
            ),
            None => client.send(method, path, None),
        };
        let at = format!("{method} {path} by {who:?}");
        assert!(reply.status < 500, "{at}: {}", text(&reply));
        let id = reply.header("relais-request").unwrap().to_owned();
        self.asked.push((id, who != NOBODY, at));
        if reply.status == 404 {
            self.absent.insert(shown(&reply));
        }
        reply
    }

    fn walk(&mut self, row: &Row) {
        let ask = ask(&self.w, row.method, row.path)
            .unwrap_or_else(|| panic!("{} {}: nobody has written a request", row.method, row.path));
        let mut got = [NA; 9];
        let mut codes = Vec::new();
        for (n, caller) in CALLERS.iter().enumerate() {
            let expected = row.cells.get(n).copied().unwrap_or(NA);
            if expected == NA || expected == IS {
                let told = match n {
                    WRONG => ask.wrong.is_none(),
                    RIGHT => false,
                    _ => expected == IS || !row.why.is_empty(),
                };
                if !told {
                    self.wrong.push(format!(
                        "{} {}: {caller} is not asked, without a reason",
                        row.method, row.path
                    ));
                }
                if let Some(cell) = got.get_mut(n) {
                    *cell = expected;
                }
                continue;
            }
            let login =
                if n == WRONG || n == RIGHT { ask.right } else { LOGINS.get(n).copied().unwrap_or(NOBODY) };
            let own = if login == ask.right { ask.client.as_ref() } else { None };
            let path = match (&ask.wrong, n) {
                (Some((path, _)), WRONG) => path.clone(),
                _ => ask.path.clone(),
            };
            // The right caller too learns nothing of what never was. Asked first: what comes after may end a session.
            let absent = never(&path, row.path);
            let nothing = if absent == path || login == NOBODY {
                None
            } else {
                Some(self.send(login, own, row.method, &absent, &ask, n == WRONG))
            };
            let reply = self.send(login, own, row.method, &path, &ask, n == WRONG);
            if let Some(nothing) = nothing {
                if nothing.status != 404 {
                    self.wrong.push(format!(
                        "{} {absent}: {caller} got {} {}",
                        row.method,
                        nothing.status,
                        text(&nothing)
                    ));
                }
                if reply.status == 404 && shown(&reply) != shown(&nothing) {
                    self.wrong.push(format!("{} {path}: {caller} can tell refused from absent", row.method));
                }
            }
            if let Some(cell) = got.get_mut(n) {
                *cell = reply.status;
            }
            if reply.status >= 400 && reply.status != 404 && reply.status != 401 {
                codes.push(format!("{caller}: {}", reply.code()));
            }
            if n == RIGHT && reply.status >= 400 && reply.code() != row.why {
                self.wrong.push(format!(
                    "{} {}: the right caller got {}",
                    row.method,
                    row.path,
                    text(&reply)
                ));
            }
        }
        if got != row.cells {
            self.wrong.push(format!(
                "{} {}\n  expected {:?}\n  got      {got:?} {codes:?}",
                row.method, row.path, row.cells
            ));
        }
    }
}

#[test]
fn every_route_answers_every_caller_as_the_table_says() {
    let mut rows: BTreeMap<(&str, &str), u16> = BTreeMap::new();
    for row in TABLE {
        *rows.entry((row.method, row.path)).or_default() += 1;
    }
    assert!(rows.values().all(|n| *n == 1), "a route has two rows");
    let uncovered: Vec<String> = api_routes()
        .iter()
        .filter(|r| rows.remove(&(r.method.name(), r.path)).is_none())
        .map(|r| format!("{} {}", r.method.name(), r.path))
        .collect();
    assert!(uncovered.is_empty(), "routes without a row: {uncovered:#?}");
    assert!(rows.is_empty(), "rows without a route: {:?}", rows.keys());

    let w = World::begin();
    let plain = w.s.server.client();
    let mut walk = Walk { w, plain, asked: Vec::new(), wrong: Vec::new(), absent: BTreeSet::new() };
    for row in TABLE {
        // A row whose request cannot be made is told with the others.
        let walked = catch_unwind(AssertUnwindSafe(|| walk.walk(row)));
        if walked.is_err() {
            walk.wrong.push(format!("{} {}: stopped, see above", row.method, row.path));
        }
        let door = api_routes().into_iter().find(|r| r.method.name() == row.method && r.path == row.path);
        let (door, first) = (door.unwrap().door, row.cells.first().copied());
        if (door == Door::Session) != (first == Some(401)) {
            walk.wrong.push(format!("{} {}: a session's door is closed to nobody", row.method, row.path));
        }
    }
    assert!(walk.wrong.is_empty(), "{}", walk.wrong.join("\n"));
    assert_eq!(walk.absent.len(), 1, "one answer for all that is absent or refused");

    // Each request with a session has one record.
    let recorded = records_by_request(&walk.w.s);
    for (id, session, at) in &walk.asked {
        let records = recorded.get(id).map(Vec::as_slice).unwrap_or_default();
        // One for each pathway that a list or a search touches.
        let several = [
            "GET /api/v1/pathways ",
            "POST /api/v1/pathways/search ",
            "GET /api/v1/today ",
            "GET /api/v1/invitations ",
            "POST /api/v1/accords ",
            "GET /api/v1/office ",
            "GET /api/v1/today ",
            "GET /api/v1/manager/decisions ",
        ];
        if several.iter().any(|p| at.starts_with(p)) && *session {
            let distinct: BTreeSet<_> = records.iter().collect();
            assert!(!records.is_empty() && distinct.len() == records.len(), "records of {at}: {records:?}");
        } else if *session {
            assert_eq!(records.len(), 1, "records of {at}");
        } else {
            // What an open door admits (a sign-in, an invitation code) is recorded under the number that the answer names.
            assert!(records.len() <= 1, "records of {at}");
        }
    }
    assert!(walk.asked.len() > 700, "{}", walk.asked.len());
}
