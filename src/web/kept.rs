//! Texts that could not be sent, between the pages and the service that keeps them.
//!
//! INVARIANT: only forms of the pages below are kept; never a field with a password, a code or a ticket.
//! INVARIANT: a kept text comes back only into the page where it was written, for its author.

use super::form::{Form, KEPT, OWN};
use super::pages::elsewhere::{self, Opened};
use super::pages::{sign_in_for, words};
use super::route::{Answer, Cookie, Door, Face, Fault, Incoming, Method, Route};
use crate::ids::{AssignmentId, KeptFormId};
use crate::service::kept_forms::{KeptLine, KeptText};
use crate::service::{App, Call, ServiceError};

/// The query parameter by which every page takes a kept text up.
pub const RESUME: &str = "repris";

/// What an address of this row may ask: every page can be given a kept text.
pub fn asked(route: &Route) -> Vec<&'static str> {
    let mut known = route.query.to_vec();
    if let (Face::Page, Method::Get, Door::Session) = (route.face(), route.method, route.door) {
        known.push(RESUME);
    }
    known
}

/// The path of an address without its query.
fn bare(address: &str) -> &str {
    address.split_once('?').map_or(address, |(path, _)| path)
}

/// An accord that is being prepared carries its choices in its address: ids of a dozen services and their subjects.
const LONGEST: usize = 4000;

/// Below which addresses something is written that is worth keeping: pathways, and the decisions of who manages,
/// controls and records.
const ROOMS: [&str; 6] =
    ["/parcours/", "/identites/", "/conservation/", "/responsable/", "/secretariat/", "/urgences/"];

/// Forms in which nothing is written: a button to press, on what its address names.
const PRESSED: [&str; 8] = [
    "/parcours/{pathway}/cercle/{place}/fin",
    "/parcours/{pathway}/partages/{share}/fin",
    "/parcours/{pathway}/partages/{share}/ajouter",
    "/parcours/{pathway}/actions/{item}/abandonner",
    "/parcours/{pathway}/consultations/reports/{deferral}/fin",
    "/parcours/{pathway}/validations/preparer",
    "/parcours/{pathway}/validations/{release}/feuille",
    "/parcours/{pathway}/accords/{accord}/feuille",
];

/// Whether what is written at this address is kept. Under the auditor's console, two forms; the others are questions.
fn keeps(path: &str) -> bool {
    let controls =
        path.starts_with("/controle/") && (path.ends_with("/identite") || path.ends_with("/examen"));
    controls || ROOMS.iter().any(|room| path.starts_with(room))
}

/// Whether a form is sent to this row that can be kept: it is behind a session, and its address has a page to come back
/// to. Where there is no page, there was no text to write.
#[must_use]
pub fn keeps_forms_of(routes: &[Route], route: &Route) -> bool {
    let form = route.door == Door::Session && route.face() == Face::Page && route.method == Method::Post;
    let page = || routes.iter().any(|r| r.method == Method::Get && r.path == route.path);
    form && keeps(route.path) && !PRESSED.contains(&route.path) && page()
}

/// An address of a page whose forms are kept, without the text that it was given; `None` for any other.
///
/// THREAT: what a client says it left is an address that we offer later: nothing but such a page is taken.
fn from_page(address: &str) -> Option<String> {
    let plain = address.len() <= LONGEST
        && address.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_?=&.%".contains(&b))
        && !address.contains("//");
    if !plain || !keeps(bare(address)) {
        return None;
    }
    let Some((path, query)) = address.split_once('?') else { return Some(address.to_owned()) };
    let own = |pair: &&str| {
        let name = pair.split_once('=').map_or(*pair, |(name, _)| name);
        !pair.is_empty() && name != RESUME && name != "fait"
    };
    let rest: Vec<&str> = query.split('&').filter(own).collect();
    Some(if rest.is_empty() { path.to_owned() } else { format!("{path}?{}", rest.join("&")) })
}

/// What is worth keeping of a form.
fn worth(form: &Form) -> Vec<(String, String)> {
    let secret = |name: &str| ["password", "code", "ticket"].iter().any(|s| name.contains(s));
    let fields: Vec<(String, String)> = form
        .fields()
        .filter(|(name, _)| !OWN.contains(name) && !secret(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if fields.iter().all(|(_, value)| value.trim().is_empty()) { Vec::new() } else { fields }
}

/// Keeps the form of this request, written on the page `address`. That it could not be kept is told to the operator
/// only: the person is on the way out.
pub fn keep(app: &App, incoming: &Incoming, address: &str) -> Option<KeptLine> {
    let call = incoming.call.as_ref()?;
    let text = KeptText {
        path: from_page(address)?,
        assignment: call.assignment.clone(),
        fields: worth(&incoming.form),
    };
    match app.kept_form_keep(&incoming.request, &call.token, &text) {
        Ok(kept) => kept,
        Err(error) => {
            tracing::warn!(%error, "a text could not be kept");
            None
        }
    }
}

/// The address that takes a kept text up.
#[must_use]
pub fn back_to(kept: &KeptLine) -> String {
    let joint = if kept.path.contains('?') { '&' } else { '?' };
    format!("{}{joint}{RESUME}={}", kept.path, kept.id.as_str())
}

/// A form that was sent after its session ended: kept for the person whose session it was, who is brought to the
/// sign-in page and from there back to the text.
pub fn after_the_end(
    app: &App,
    routes: &[Route],
    route: &Route,
    incoming: &Incoming,
    error: &ServiceError,
) -> Option<Answer> {
    let over = matches!(error, ServiceError::Unauthenticated);
    if !(over && keeps_forms_of(routes, route)) {
        return None;
    }
    let kept = keep(app, incoming, &incoming.address)?;
    let to = format!("{}&fait=garde", sign_in_for(&back_to(&kept)));
    Some(Answer::SeeOther { to, cookie: Cookie::Clear })
}

/// Whether a text was written under another affectation than the one of now.
#[must_use]
pub fn written_elsewhere(kept: &KeptLine, acting: Option<&AssignmentId>) -> bool {
    kept.assignment.is_some() && kept.assignment.as_ref() != acting
}

/// A form that was shown for another affectation than the session's, or a text that was written under another: what is
/// told, with the way to change. The form is kept where it can be come back to.
///
/// # Errors
/// As the database.
pub fn under_another(
    app: &App,
    routes: &[Route],
    route: &Route,
    incoming: &Incoming,
    error: &ServiceError,
) -> Result<Option<Answer>, Fault> {
    let (Face::Page, Some(call)) = (route.face(), incoming.call.as_ref()) else { return Ok(None) };
    let call = Call { assignment: None, idempotency: None, ..call.clone() };
    let named = |id: Option<&str>| id.and_then(|id| KeptFormId::parse(id).ok());
    match (error, route.method) {
        (ServiceError::Conflict, Method::Post) => {
            let shown_for = incoming.call.as_ref().and_then(|c| c.assignment.as_ref());
            if shown_for.is_none() || shown_for == app.greeting(&call)?.acting.as_ref().map(|a| &a.id) {
                return Ok(None);
            }
            let kept =
                if keeps_forms_of(routes, route) { keep(app, incoming, &incoming.address) } else { None };
            let until = kept.map(|k| words::moment(k.until));
            elsewhere::show(app, incoming, Opened::Sent(until)).map(Some)
        }
        (ServiceError::AbsentOrRefused, Method::Get) => {
            let Some(id) = named(incoming.query.get(RESUME).map(String::as_str)) else { return Ok(None) };
            // Only one's own texts are looked at: for anybody else, the address is one that is not there.
            let greeting = app.greeting(&call)?;
            let acting = greeting.acting.as_ref().map(|a| &a.id);
            if !greeting.kept.iter().any(|k| k.id == id && written_elsewhere(k, acting)) {
                return Ok(None);
            }
            elsewhere::show(app, incoming, Opened::Text).map(Some)
        }
        (_other, _) => Ok(None),
    }
}

/// The kept text with which the forms of a page go on: the one that this request took up, or the one that its form
/// says it goes on with. A page that was offered a text and did not take it goes on with none, so that nothing that it
/// sends throws the text away.
#[must_use]
pub fn going_on(incoming: &Incoming) -> Option<KeptFormId> {
    let said = || incoming.form.one(KEPT).and_then(|id| KeptFormId::parse(id).ok());
    incoming.taken.get().cloned().or_else(said)
}

/// The form that the address takes up; `None` when it names none, or one that is gone or of another page.
///
/// # Errors
/// Without a session, or as the database.
pub fn resumed(app: &App, incoming: &Incoming) -> Result<Option<Form>, Fault> {
    let Some(id) = incoming.query.get(RESUME).and_then(|id| KeptFormId::parse(id).ok()) else {
        return Ok(None);
    };
    let text = match app.kept_form_take(incoming.call()?, &id) {
        Ok(text) => text.into_inner(),
        Err(ServiceError::AbsentOrRefused) => {
            let greeting = app.greeting(incoming.call()?)?;
            let acting = greeting.acting.as_ref().map(|a| &a.id);
            let elsewhere = greeting.kept.iter().any(|k| k.id == id && written_elsewhere(k, acting));
            // `under_another` tells where it waits.
            return if elsewhere { Err(Fault::Service(ServiceError::AbsentOrRefused)) } else { Ok(None) };
        }
        Err(error) => return Err(Fault::Service(error)),
    };
    if bare(&text.path) != bare(&incoming.address) {
        return Ok(None);
    }
    let fields: Vec<(&str, &str)> = text.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    // A page asks once; asked again, the text is the same.
    incoming.taken.get_or_init(|| id);
    Ok(Some(Form::of(&fields)))
}

/// After a form did what it says, the text that it went on with is no longer needed. Another form of the same page does
/// not use it up.
pub fn settle(app: &App, routes: &[Route], route: &Route, incoming: &Incoming, answer: &Answer) {
    if matches!(answer, Answer::SeeOther { .. }) && keeps_forms_of(routes, route) {
        done(app, incoming);
    }
}

/// The text that this form went on with is sent, and deleted.
pub fn done(app: &App, incoming: &Incoming) {
    let (Some(id), Some(call)) = (going_on(incoming), incoming.call.as_ref()) else { return };
    match app.kept_form_drop(&Call { idempotency: None, ..call.clone() }, &id) {
        Ok(_) | Err(ServiceError::AbsentOrRefused | ServiceError::Unauthenticated) => {}
        Err(error) => tracing::warn!(%error, "a text that was sent is kept until it expires"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_whose_forms_are_kept_are_come_back_to() {
        assert_eq!(from_page("/parcours/a/ecrire").as_deref(), Some("/parcours/a/ecrire"));
        assert_eq!(
            from_page("/parcours/a/partager?purpose=stay&repris=b&fait=c").as_deref(),
            Some("/parcours/a/partager?purpose=stay")
        );
        assert_eq!(from_page("/parcours/a/ecrire?repris=b").as_deref(), Some("/parcours/a/ecrire"));
        for good in [
            "/controle/12/identite",
            "/controle/12/examen",
            "/identites/a",
            "/conservation/demander",
            "/responsable/decisions/a/exception",
            "/secretariat/a",
            "/urgences/a",
        ] {
            assert_eq!(from_page(good).as_deref(), Some(good));
        }
        for bad in [
            "",
            "/",
            "/compte",
            "/controle/chercher",
            "/controle/chercher?a=/identite",
            "/structures/a",
            "/connexion",
            "https://evil.example/parcours/a",
            "//evil.example/parcours/a",
            "/parcours//evil.example",
            "/parcours/a\r\nSet-Cookie: x",
            "/parcours/é",
            "/parcours/\"><script>",
        ] {
            assert_eq!(from_page(bad), None, "{bad:?}");
        }
        assert_eq!(from_page(&format!("/parcours/{}", "a".repeat(LONGEST))), None);
    }

    #[test]
    fn secrets_and_empty_forms_are_not_kept() {
        let form =
            Form::of(&[("_once", "k"), ("label", "Un été"), ("new_password", "x"), ("code", "123456")]);
        assert_eq!(worth(&form), [("label".to_owned(), "Un été".to_owned())]);
        assert!(worth(&Form::of(&[("_once", "k"), ("label", "  ")])).is_empty());
    }
}
