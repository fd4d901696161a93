//! One's own pathways: the list, the search by name (in the body of a POST, kept nowhere), and opening one (S3, S15).

use askama::Template;

use super::Page;
use super::entered::{Entered, back};
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::item::ContactKind;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Capacity, Mandate};
use crate::service::App;
use crate::service::pathways::{CANNOT_OPEN, Opening, PathwayLine, SearchInput};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// How many lines of contacts the form offers.
const CONTACTS: [usize; 2] = [0, 1];

/// How many of those found are shown.
const FOUND: usize = 50;

/// The list.
#[derive(Template)]
#[template(path = "pathways.html")]
struct PathwaysPage {
    shell: Shell,
    today: chrono::NaiveDate,
    pathways: Vec<PathwayLine>,
    next: Option<String>,
    /// The answer of a search, not the list.
    searched: bool,
    /// How many were found and are not shown.
    found_too: usize,
    entered: Entered,
}

/// Opening a pathway.
#[derive(Template)]
#[template(path = "pathway_open.html")]
struct OpenPage {
    shell: Shell,
    entered: Entered,
    /// « surnom seulement » rather than an identity.
    nickname: bool,
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    let on = |action| (action, ResourceKind::Pathway);
    vec![
        super::row(Method::Get, "/parcours", on(Action::List), list).asking(&["fait", "suite"]),
        super::row(Method::Post, "/parcours", on(Action::Search), search),
        super::row(Method::Get, "/parcours/ouvrir", on(Action::Create), open_page)
            .asking(&["fait", "surnom"]),
        super::row(Method::Post, "/parcours/ouvrir", on(Action::Create), open).asking(&["surnom"]),
    ]
}

fn list(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    if let Some(elsewhere) = super::door::without_affectation(app, incoming)? {
        return Ok(elsewhere);
    }
    let view = app.pathways(incoming.call()?, incoming.query.get("suite").map(String::as_str))?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::Pathways, "Parcours")?;
    Answer::page(&PathwaysPage {
        shell,
        today: app.clock().now().paris_day(),
        pathways: view.items,
        next: view.next.map(|c| words::encoded(&c)),
        searched: false,
        found_too: 0,
        entered: Entered::nothing(),
    })
}

fn search(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let call = incoming.call()?;
    let show = |status, mut pathways: Vec<PathwayLine>, searched, entered| {
        let shell = Shell::signed_in(app, incoming, Room::Pathways, "Parcours")?;
        let today = app.clock().now().paris_day();
        let found_too = pathways.len().saturating_sub(FOUND);
        pathways.truncate(FOUND);
        Answer::page_with(
            status,
            &PathwaysPage { shell, today, pathways, next: None, searched, found_too, entered },
        )
    };
    let attempt = || -> Result<Vec<PathwayLine>, Fault> {
        let input: SearchInput = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        Ok(app.pathways_search(call, &input)?.into_inner().items)
    };
    match attempt() {
        Ok(found) => show(200, found, true, Entered::sent(&incoming.form)),
        Err(fault) => back(app, incoming, fault, |status, entered| show(status, Vec::new(), false, entered)),
    }
}

fn show_open(app: &App, incoming: &Incoming, status: u16, entered: Entered) -> Result<Answer, Fault> {
    let nickname = incoming.query.get("surnom").is_some_and(|v| v == "oui");
    let shell = Shell::signed_in(app, incoming, Room::Pathways, "Ouvrir un parcours")?;
    Answer::page_with(status, &OpenPage { shell, entered, nickname })
}

fn open_page(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    // The page shows nothing of anybody: it rests on one's own account, read and recorded.
    app.me(incoming.call()?)?;
    let today = app.clock().now().paris_day().to_string();
    let entered =
        Entered::filled(&[("preference.on", today.as_str()), ("mandate", Mandate::Contractual.code())]);
    show_open(app, incoming, 200, Entered::first_or(app, incoming, entered)?)
}

fn open(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let attempt = || -> Result<String, Fault> {
        let input: Opening = incoming.form.read().map_err(|e| Fault::Syntax(e.into()))?;
        Ok(app.pathway_open(incoming.call()?, &input)?.id)
    };
    match attempt() {
        // With a name, the next act is to say who signs; under a nickname, there is nobody to sign yet.
        Ok(id) if incoming.form.one("person.nickname").is_none() => {
            Ok(Answer::see_other(format!("/parcours/{id}/personne?fait=ouvert")))
        }
        Ok(id) => Ok(Answer::see_other(format!("/parcours/{id}?fait=ouvert"))),
        Err(fault) => back(app, incoming, fault, |status, entered| show_open(app, incoming, status, entered)),
    }
}

/// A line of the list, for samples.
#[cfg(test)]
pub fn sample_line() -> PathwayLine {
    use crate::domain::vocabulary::{Profession, Role, Step};
    PathwayLine {
        id: "pathway".to_owned(),
        name: "Léa Martin".to_owned(),
        name_shared: true,
        role: Role::Referent,
        step: Some(Step::Accompaniment),
        review_on: Some("2027-06-14".to_owned()),
        review_due: false,
        referent: Some(super::frame::sample::who("Nadia Benali", "Ville", Profession::ReferentPre)),
        until: None,
        closed_at: None,
    }
}

/// The longest line that there can be.
#[cfg(test)]
pub fn longest_line() -> PathwayLine {
    use super::snapshots::full;
    let mut line = sample_line();
    line.id = "abcdefghijklmnopqrstuvwxyz".to_owned();
    line.name = full(160);
    line.review_due = true;
    line.until = Some("2027-03-20".to_owned());
    line.closed_at = Some("2027-03-13T12:00:00Z".to_owned());
    line.referent = Some(super::frame::sample::who(
        &full(80),
        "Ville",
        crate::domain::vocabulary::Profession::ReferentPre,
    ));
    line
}

impl Page for PathwaysPage {
    #[cfg(test)]
    const NAME: &'static str = "pathways";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |pathways, next: Option<&str>, searched, entered| Self {
            shell: super::shell::sample::signed_in(Room::Pathways, "Parcours"),
            today: chrono::NaiveDate::from_ymd_opt(2027, 3, 14).unwrap(),
            pathways,
            next: next.map(ToOwned::to_owned),
            searched,
            found_too: 0,
            entered,
        };
        let unnamed = PathwayLine {
            name: "Situation n° 2 (nom non partagé)".to_owned(),
            name_shared: false,
            referent: None,
            review_due: true,
            until: Some("2027-03-20".to_owned()),
            closed_at: Some("2027-03-13T12:00:00Z".to_owned()),
            ..sample_line()
        };
        vec![
            ("empty", page(Vec::new(), None, false, Entered::nothing())),
            ("two", page(vec![sample_line(), unnamed], Some("c"), false, Entered::nothing())),
            ("not_for_this_mission", {
                let mut page = page(Vec::new(), None, false, Entered::nothing());
                page.shell = super::shell::sample::opening_nothing("Parcours");
                page
            }),
            ("many_found", {
                let mut page = page(vec![sample_line()], None, true, Entered::filled(&[("text", "lé")]));
                page.found_too = 12;
                page
            }),
            ("not_found", page(Vec::new(), None, true, Entered::filled(&[("text", "martin")]))),
        ]
    }
}

impl Page for OpenPage {
    #[cfg(test)]
    const NAME: &'static str = "pathway_open";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |nickname, entered| Self {
            shell: super::shell::sample::signed_in(Room::Pathways, "Ouvrir un parcours"),
            entered,
            nickname,
        };
        let refused = Entered::refused(
            &crate::web::form::Form::of(&[("person.identity.first_name", "Léa")]),
            &crate::service::ServiceError::Invalid(crate::domain::text::FieldErrors::one(
                "person.identity.name",
                crate::domain::text::EntryError::Missing,
            )),
        );
        vec![
            ("known", page(false, Entered::nothing())),
            ("nickname", page(true, Entered::nothing())),
            (
                "nickname_missing",
                page(
                    true,
                    Entered::refused(
                        &crate::web::form::Form::default(),
                        &crate::service::ServiceError::Invalid(crate::domain::text::FieldErrors::one(
                            "person",
                            crate::domain::text::EntryError::Missing,
                        )),
                    ),
                ),
            ),
            ("refused", page(false, refused)),
            ("not_for_this_mission", {
                let mut page = page(false, Entered::nothing());
                page.shell = super::shell::sample::opening_nothing("Ouvrir un parcours");
                page
            }),
        ]
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_fullest_list_is_light() {
        use super::*;
        for searched in [true, false] {
            let (_, mut page) = PathwaysPage::samples().into_iter().find(|(n, _)| *n == "two").unwrap();
            page.pathways = (0..crate::service::pathways::PAGE.max(FOUND)).map(|_| longest_line()).collect();
            (page.searched, page.found_too) = (searched, 300);
            super::super::snapshots::light(&page);
        }
    }

    #[test]
    fn pages_of_pathways() {
        crate::web::pages::snapshots::check::<super::PathwaysPage>();
        crate::web::pages::snapshots::check::<super::OpenPage>();
    }
}
