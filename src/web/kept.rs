//! Texts that could not be sent, between the pages and the service that keeps them.
//!
//! INVARIANT: only forms of a pathway's pages are kept; never one with a password, a code or a ticket.
//! INVARIANT: a kept text comes back only into the page where it was written, for its author.

use super::form::{Form, KEPT, OWN};
use super::pages::sign_in_for;
use super::route::{Answer, Cookie, Door, Face, Fault, Incoming, Method, Route};
use crate::ids::KeptFormId;
use crate::service::kept_forms::KeptLine;
use crate::service::{App, ServiceError};

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

/// An address of a pathway's page, without the text that it was given; `None` for any other.
///
/// THREAT: what a client says it left is an address that we offer later: nothing but a page of a pathway is taken.
fn from_page(address: &str) -> Option<String> {
    let plain = address.len() <= LONGEST
        && address.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_?=&.%".contains(&b))
        && !address.contains("//");
    if !plain || !address.starts_with("/parcours/") {
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
    let path = from_page(address)?;
    let token = &incoming.call.as_ref()?.token;
    match app.kept_form_keep(&incoming.request, token, &path, &worth(&incoming.form)) {
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
    let form = route.door == Door::Session && route.face() == Face::Page && route.method == Method::Post;
    // Where there is no page to come back to, there was no text to write.
    let page = routes.iter().any(|r| r.method == Method::Get && r.path == route.path);
    if !(over && form && page) {
        return None;
    }
    let kept = keep(app, incoming, &incoming.address)?;
    let to = format!("{}&fait=garde", sign_in_for(&back_to(&kept)));
    Some(Answer::SeeOther { to, cookie: Cookie::Clear })
}

/// The kept text that a request names, in its address or in its form.
#[must_use]
pub fn named(incoming: &Incoming) -> Option<KeptFormId> {
    let text = incoming.query.get(RESUME).map(String::as_str).or_else(|| incoming.form.one(KEPT))?;
    KeptFormId::parse(text).ok()
}

/// The form that the address takes up; `None` when it names none, or one that is gone or of another page.
///
/// # Errors
/// Without a session, or as the database.
pub fn resumed(app: &App, incoming: &Incoming) -> Result<Option<Form>, Fault> {
    if !incoming.query.contains_key(RESUME) {
        return Ok(None);
    }
    let Some(id) = named(incoming) else { return Ok(None) };
    let text = match app.kept_form_take(incoming.call()?, &id) {
        Ok(text) => text.into_inner(),
        Err(ServiceError::AbsentOrRefused) => return Ok(None),
        Err(error) => return Err(Fault::Service(error)),
    };
    if bare(&text.path) != bare(&incoming.address) {
        return Ok(None);
    }
    let fields: Vec<(&str, &str)> = text.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    Ok(Some(Form::of(&fields)))
}

/// After a form did what it says, the text that it went on with is no longer needed.
pub fn settle(app: &App, incoming: &Incoming, answer: &Answer) {
    let done = matches!(answer, Answer::SeeOther { .. });
    let (true, Some(_), Some(id), Some(call)) =
        (done, incoming.form.one(KEPT), named(incoming), incoming.call.as_ref())
    else {
        return;
    };
    match app.kept_form_drop(call, &id) {
        Ok(_) | Err(ServiceError::AbsentOrRefused | ServiceError::Unauthenticated) => {}
        Err(error) => tracing::warn!(%error, "a text that was sent is kept until it expires"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_a_pathway_are_come_back_to() {
        assert_eq!(from_page("/parcours/a/ecrire").as_deref(), Some("/parcours/a/ecrire"));
        assert_eq!(
            from_page("/parcours/a/partager?purpose=stay&repris=b&fait=c").as_deref(),
            Some("/parcours/a/partager?purpose=stay")
        );
        assert_eq!(from_page("/parcours/a/ecrire?repris=b").as_deref(), Some("/parcours/a/ecrire"));
        for bad in [
            "",
            "/",
            "/compte",
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
