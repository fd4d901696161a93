//! « Qui a consulté »: who opened content of a pathway, for its référent, who hands it to the family (S12); and, of what
//! is the business of a service whose taking part can be hidden, for its manager.

use askama::Template;
use chrono::NaiveDate;

use super::Page;
use super::deferrals;
use super::frame::{Frame, Part, pathway_of};
use super::icon::Icon;
use super::shell::{Room, Shell};
use super::words;
use crate::domain::day::french_date;
use crate::domain::record::{Action, ResourceKind};
use crate::ids::ParticipationId;
use crate::service::{App, ConsultationLine};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

/// One day, latest first.
struct Day {
    on: NaiveDate,
    french: String,
    relative: String,
    lines: Vec<ConsultationLine>,
}

#[derive(Template)]
#[template(path = "consultations.html")]
struct ConsultationsPage {
    shell: Shell,
    frame: Frame,
    days: Vec<Day>,
}

/// The same for the manager of a hidden service, who has no place in the circle.
#[derive(Template)]
#[template(path = "consultations_service.html")]
struct ServiceConsultationsPage {
    shell: Shell,
    place: String,
    days: Vec<Day>,
}

impl ConsultationsPage {
    /// Below which address receipts are.
    fn receipts_at(&self) -> String {
        self.frame.at("/consultations")
    }
}

impl ServiceConsultationsPage {
    /// Below which address receipts are.
    fn receipts_at(&self) -> String {
        format!("/responsable/places/{}/consultations", self.place)
    }
}

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    vec![
        super::row(
            Method::Get,
            "/parcours/{pathway}/consultations",
            (Action::Read, ResourceKind::Consultations),
            consultations,
        ),
        super::row(
            Method::Get,
            "/parcours/{pathway}/consultations/{index}/recu",
            (Action::Export, ResourceKind::Consultations),
            receipt,
        ),
        super::row(
            Method::Get,
            "/responsable/places/{participation}/consultations",
            (Action::Read, ResourceKind::Consultations),
            of_service,
        ),
        super::row(
            Method::Get,
            "/responsable/places/{participation}/consultations/{index}/recu",
            (Action::Export, ResourceKind::Consultations),
            receipt_of_service,
        ),
    ]
}

/// Lines come by day already.
fn by_day(lines: Vec<ConsultationLine>, today: NaiveDate) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for line in lines {
        match days.last_mut().filter(|day| day.on == line.on) {
            Some(day) => day.lines.push(line),
            None => days.push(Day {
                on: line.on,
                french: french_date(line.on),
                relative: words::relative(line.on, today),
                lines: vec![line],
            }),
        }
    }
    days
}

fn consultations(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let seen = app.consultations(incoming.call()?, incoming.act, &pathway_of(incoming)?)?.into_inner();
    let (shell, frame) = Frame::read(app, incoming, Part::Consultations, "Qui a consulté")?;
    let days = by_day(seen.items, frame.today);
    Answer::page(&ConsultationsPage { shell, frame, days })
}

fn receipt(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (call, index) = (incoming.call()?, super::record_index(incoming)?);
    let proof = app.consultation_receipt(call, incoming.act, &pathway_of(incoming)?, index)?;
    Ok(super::receipt_file(index, proof.into_inner()))
}

fn of_service(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let place = incoming.id("participation", ParticipationId::parse)?;
    let seen = app.consultations_of_service(incoming.call()?, incoming.act, &place)?.into_inner();
    let shell = Shell::signed_in(app, incoming, Room::Manager, "Qui a consulté")?;
    let days = by_day(seen.items, app.clock().now().paris_day());
    Answer::page(&ServiceConsultationsPage { shell, place: place.as_str().to_owned(), days })
}

fn receipt_of_service(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let (call, index) = (incoming.call()?, super::record_index(incoming)?);
    let place = incoming.id("participation", ParticipationId::parse)?;
    let proof = app.consultation_receipt_of_service(call, incoming.act, &place, index)?;
    Ok(super::receipt_file(index, proof.into_inner()))
}

impl Page for ConsultationsPage {
    #[cfg(test)]
    const NAME: &'static str = "consultations";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |lines| {
            let (shell, frame) = super::frame::sample::frame(Part::Consultations, "Qui a consulté");
            let days = by_day(lines, frame.today);
            Self { shell, frame, days }
        };
        vec![("empty", page(Vec::new())), ("two_days", page(sample_lines()))]
    }
}

impl Page for ServiceConsultationsPage {
    #[cfg(test)]
    const NAME: &'static str = "consultations_service";

    #[cfg(test)]
    fn samples() -> Vec<(&'static str, Self)> {
        let page = |lines| Self {
            shell: super::shell::sample::signed_in(Room::Manager, "Qui a consulté"),
            place: "aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
            days: by_day(lines, NaiveDate::from_ymd_opt(2027, 3, 14).unwrap()),
        };
        vec![("empty", page(Vec::new())), ("two_days", page(sample_lines()))]
    }
}

#[cfg(test)]
fn sample_lines() -> Vec<ConsultationLine> {
    use crate::domain::vocabulary::{Category, Profession, Purpose};
    use crate::ids::OrganisationId;
    use crate::service::OrganisationName;
    let line = |day, name: &str, profession, purpose, categories| ConsultationLine {
        on: NaiveDate::from_ymd_opt(2027, 3, day).unwrap(),
        organisation: OrganisationName {
            id: OrganisationId::parse("aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
            name: name.to_owned(),
        },
        profession,
        purpose,
        categories,
        receipts: if day == 13 { vec![41, 57] } else { Vec::new() },
    };
    let stay = vec![Category::Practical, Category::HealthMinimal];
    vec![
        line(13, "Vacances pour tous", Profession::StayOrganiser, Some(Purpose::Stay), stay),
        line(13, "Collège Jean-Moulin", Profession::Teacher, None, vec![Category::Schooling]),
        line(2, "Collège Jean-Moulin", Profession::Teacher, None, vec![Category::Identity]),
    ]
}

#[cfg(test)]
mod tests {
    #[test]
    fn pages_of_consultations() {
        crate::web::pages::snapshots::check::<super::ConsultationsPage>();
        crate::web::pages::snapshots::check::<super::ServiceConsultationsPage>();
    }
}
