//! Partager (S1, S3), what was shared, and « Puis-je le lui dire ? » (S19).
//!
//! INVARIANTS
//! * Nothing is shared that was not shown: the button that shares carries the exact versions and people of the answer
//!   above it, and the service decides anew.
//! * What is asked stands in the address (ids and codes only, never words), so that a page can be asked for again.

mod asked;
pub mod behind;
mod choose;
pub mod decision;
mod list;
mod share;
mod tell;

use crate::domain::record::{Action, ResourceKind};
use crate::domain::vocabulary::{Category, Role};
use crate::ids::{ItemId, PathwayId};
use crate::service::reading::{Fill, ItemView, ItemsQuery};
use crate::service::{App, ServiceError};
use crate::web::pages::frame::Frame;
use crate::web::route::{Fault, Incoming, Method, Route};

/// The rows.
#[must_use]
pub fn routes() -> Vec<Route> {
    use Action::{Create, End, List, Preview, Read, Share as Sharing, Update};
    use Method::{Get, Post};
    use ResourceKind::{OralNote, Pathway, Share};
    let row = super::row;
    vec![
        row(Get, "/parcours/{pathway}/partager", (Preview, Share), choose::page).asking(&[
            "fait",
            "item",
            "category",
            "purpose",
            "last_day",
            "departure",
            "statute",
            "suite",
            "profession",
            "secrecy",
        ]),
        row(Get, "/parcours/{pathway}/partager/apercu", (Preview, Share), choose::page),
        row(Post, "/parcours/{pathway}/partager/apercu", (Preview, Share), choose::look),
        row(Post, "/parcours/{pathway}/partager", (Sharing, Share), choose::share),
        row(Get, "/parcours/{pathway}/partages", (List, Share), list::page),
        row(Get, "/parcours/{pathway}/partages/{share}", (Read, Share), share::page),
        row(Get, "/parcours/{pathway}/partages/{share}/fin", (Read, Share), share::end_page)
            .asking(&["fait", "recipient"]),
        row(Post, "/parcours/{pathway}/partages/{share}/fin", (End, Share), share::end),
        row(Get, "/parcours/{pathway}/partages/{share}/ajouter", (Preview, Share), share::join_page)
            .asking(&["fait", "item"]),
        row(Post, "/parcours/{pathway}/partages/{share}/ajouter", (Update, Share), share::join),
        row(Get, "/puis-je-le-dire", (List, Pathway), tell::choose).asking(&["fait", "cursor"]),
        row(Get, "/parcours/{pathway}/puis-je-le-dire", (Preview, Share), tell::page).asking(&[
            "fait",
            "recipient",
            "subject",
            "purpose",
        ]),
        row(Post, "/parcours/{pathway}/puis-je-le-dire", (Create, OralNote), tell::note),
    ]
}

/// Subjects about which somebody may ask without a text: all but the synthesis, which needs its words.
pub const SUBJECTS: &[Category] = &[
    Category::Identity,
    Category::Schooling,
    Category::Family,
    Category::Housing,
    Category::HealthMinimal,
    Category::HealthDetailed,
    Category::Judicial,
    Category::Leisure,
    Category::Mobility,
    Category::Integration,
    Category::Affective,
    Category::Practical,
];

/// What the asker may share: its own and its service's, as gate 3 opens them.
///
/// # Errors
/// As the reads.
pub fn own_items(app: &App, incoming: &Incoming, pathway: &PathwayId) -> Result<Vec<ItemView>, Fault> {
    let query = ItemsQuery { own: true, fill: Fill::Whole, ..ItemsQuery::default() };
    Ok(app.items(incoming.call()?, pathway, query)?.into_inner().items)
}

/// The names that authors gave to their writings.
#[must_use]
pub fn labels(items: &[ItemView]) -> Vec<(ItemId, String)> {
    items.iter().filter_map(|i| ItemId::parse(&i.id).ok().map(|id| (id, i.label.clone()))).collect()
}

/// A stay organiser has one page only.
///
/// # Errors
/// As absent.
pub fn member_only(frame: &Frame) -> Result<(), Fault> {
    match frame.view.me.role {
        Role::Referent | Role::Participant | Role::ContributorOnly => Ok(()),
        Role::StayOrganiser => Err(Fault::Syntax(ServiceError::AbsentOrRefused)),
    }
}

/// Writings for samples.
#[cfg(test)]
pub mod sample {
    use super::*;
    use crate::domain::cell::Reason;
    use crate::service::reading::WhyView;

    pub use super::decision::sample::*;

    pub fn item(c: char, label: &str, category: Category, for_stay: bool) -> ItemView {
        ItemView {
            id: item_id(c).as_str().to_owned(),
            version_id: version_id(c).as_str().to_owned(),
            pathway: "aaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
            version: 1,
            words: Vec::new(),
            category,
            subjects: Vec::new(),
            label: label.to_owned(),
            content: None,
            action: None,
            for_stay,
            by_family: false,
            author: None,
            written_on: "2027-03-02".to_owned(),
            valid_until: Some("2027-09-01".to_owned()),
            corrected_on: None,
            own: true,
            why: WhyView {
                reason: Reason::OwnItem,
                regime: None,
                purpose: None,
                until: None,
                sentence: "Cette information vient de vous ou de votre service.".to_owned(),
            },
        }
    }

    pub fn items() -> Vec<ItemView> {
        vec![
            item('a', "Aide aux devoirs", Category::Schooling, false),
            item('b', "Chambre", Category::Housing, false),
        ]
    }
}
