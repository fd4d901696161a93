//! The manager's decision on names in « Qui a regardé ? » (S12): what it changes for colleagues and for families, then
//! one button.

use super::organisation_of;
use crate::domain::day::french_date;
use crate::domain::record::{Action, ResourceKind};
use crate::service::App;
use crate::service::sheet_names::SheetNamesInput;
use crate::web::pages::confirm::ConfirmPage;
use crate::web::pages::row;
use crate::web::pages::shell::{Room, Shell};
use crate::web::route::{Answer, Fault, Incoming, Method, Route};

const PATH: &str = "/structures/{organisation}/noms";

pub(super) fn routes() -> Vec<Route> {
    vec![
        row(Method::Get, PATH, (Action::Read, ResourceKind::Organisation), before),
        row(Method::Post, PATH, (Action::Update, ResourceKind::Organisation), decide).asking(&["decision"]),
    ]
}

fn before(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let reach = super::Reach::of(app, incoming)?;
    let o = app.organisation(incoming.call()?, &organisation_of(incoming)?)?.into_inner().organisation;
    if reach.own.as_ref() != Some(&o.id) {
        // What the structure decided is on its page, for everybody; deciding is its manager's.
        return Ok(Answer::see_other(format!("/structures/{}", o.id)));
    }
    let shell = Shell::signed_in(app, incoming, Room::Administration, "Noms sur « Qui a regardé ? »")?;
    let (title, effects, button) = match o.names_on_sheets_from {
        None => (
            format!("Écrire les noms des professionnels de {} sur « Qui a regardé ? » ?", o.name),
            vec![
                "Aujourd'hui, ces feuilles disent le métier et la structure, sans nom.".to_owned(),
                "Pour ce que vos collègues ouvrent à partir de demain, la famille lira aussi leur nom. Ce qui a été ouvert avant reste sans nom."
                    .to_owned(),
                "Chaque collègue le voit sur la page de la structure : dites-le à l'équipe avant. Votre décision laisse une trace."
                    .to_owned(),
                "Si un nom peut mettre quelqu'un en danger, la ligne peut être dite plus tard : un responsable en décide."
                    .to_owned(),
            ],
            "Écrire les noms à partir de demain",
        ),
        Some(from) => (
            format!("Ne plus écrire les noms des professionnels de {} ?", o.name),
            vec![
                format!("Les noms sont écrits pour ce qui est ouvert à partir du {}.", french_date(from)),
                "Les feuilles faites à partir de maintenant ne diront plus que le métier et la structure. Les feuilles déjà remises restent comme elles sont."
                    .to_owned(),
            ],
            "Ne plus écrire les noms",
        ),
    };
    Answer::page(&ConfirmPage {
        shell,
        title,
        effects,
        action: format!(
            "/structures/{}/noms?decision={}",
            o.id,
            if o.names_on_sheets_from.is_some() { "sans" } else { "avec" }
        ),
        button,
        stops: o.names_on_sheets_from.is_some(),
        back: format!("/structures/{}", o.id),
    })
}

fn decide(app: &App, incoming: &Incoming) -> Result<Answer, Fault> {
    let id = organisation_of(incoming)?;
    // The page said which of the two it was about: a colleague's decision in between is not turned round.
    let named = match incoming.query.get("decision").map(String::as_str) {
        Some("avec") => true,
        Some("sans") => false,
        Some(_) | None => return Ok(Answer::see_other(format!("/structures/{id}/noms"))),
    };
    app.sheet_names_decide(incoming.call()?, incoming.act, &id, SheetNamesInput { named })?;
    Ok(Answer::see_other(format!("/structures/{id}?fait=enregistre")))
}
