//! Who signs, by name where the reader may know it, by capacity elsewhere.

use crate::service::people::{HolderView, HoldersView};
use crate::service::{App, AwaitedView, SlotView};
use crate::web::pages::frame::pathway_of;
use crate::web::route::{Fault, Incoming};

/// One answer of a list: a code and its words, as the parts of forms read them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::web::pages) struct Choice {
    code: String,
    french: String,
}

impl Choice {
    pub fn new(code: impl Into<String>, french: impl Into<String>) -> Self {
        Self { code: code.into(), french: french.into() }
    }

    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    #[must_use]
    pub fn french(&self) -> &str {
        &self.french
    }
}

/// The holders of authority whom the reader may know.
pub(in crate::web::pages) struct Family {
    holders: Vec<HolderView>,
}

impl Family {
    /// Asked only where the reader may know: a question that would be refused is a record for nothing.
    pub fn read(app: &App, incoming: &Incoming, may_know: bool) -> Result<Self, Fault> {
        let holders = if may_know {
            app.holders(incoming.call()?, &pathway_of(incoming)?)?.into_inner()
        } else {
            HoldersView { items: Vec::new() }
        };
        Ok(Self { holders: holders.items })
    }

    pub fn holders(&self) -> &[HolderView] {
        &self.holders
    }

    /// « Sonia Martin (mère) », « le jeune », or what one is when the name is not for this reader.
    pub fn name(&self, by: &str) -> String {
        if by == "young_person" {
            return "le jeune".to_owned();
        }
        match self.holders.iter().find(|h| h.id == by) {
            Some(holder) => holder_name(holder),
            None => "un parent".to_owned(),
        }
    }

    fn slot(&self, slot: &SlotView) -> String {
        match (&slot.holder, slot.kind) {
            (Some(id), _) if self.holders.iter().any(|h| h.id == id.as_str()) => self.name(id.as_str()),
            (Some(_), _) => {
                slot.capacity.map_or_else(|| "un parent".to_owned(), |c| c.french().to_lowercase())
            }
            (None, "opinion") => "l'avis du jeune".to_owned(),
            (None, _) => "le jeune".to_owned(),
        }
    }

    /// Each one who must sign: « le jeune », « Sonia Martin ou Karim Martin ».
    pub fn wanted(&self, all_of: &[SlotView], any_of: &[Vec<SlotView>]) -> Vec<String> {
        let mut out: Vec<String> = all_of.iter().map(|s| self.slot(s)).collect();
        let groups: Vec<String> = any_of
            .iter()
            .map(|group| group.iter().map(|s| self.slot(s)).collect::<Vec<_>>().join(" et "))
            .collect();
        if !groups.is_empty() {
            out.push(groups.join(" ou "));
        }
        out
    }

    pub fn awaited(&self, awaited: &AwaitedView) -> String {
        match &awaited.unestablished {
            Some(why) => why.clone(),
            None => self.wanted(&awaited.all_of, &awaited.any_of).join(" ; "),
        }
    }

    /// Who may be asked to sign or to answer.
    pub fn signatories(&self) -> Vec<Choice> {
        let holders = self.holders.iter().filter(|h| h.can_sign && !h.do_not_contact);
        std::iter::once(Choice::new("young_person", "Le jeune"))
            .chain(holders.map(|h| Choice::new(h.id.clone(), holder_name(h))))
            .collect()
    }
}

/// « Sonia Martin (mère) ».
pub(in crate::web::pages) fn holder_name(holder: &HolderView) -> String {
    let name = holder.name.as_ref().map_or("", |n| n.as_str());
    match &holder.relation {
        Some(relation) => format!("{name} ({})", relation.as_str()),
        None => format!("{name} ({})", holder.capacity.french().to_lowercase()),
    }
}

#[cfg(test)]
impl Family {
    pub fn sample() -> Self {
        use crate::domain::text::Text;
        let holder = |letter: char, name: &str, relation: &str, away: bool| HolderView {
            id: letter.to_string().repeat(26),
            capacity: crate::domain::vocabulary::Capacity::Parent,
            can_sign: true,
            from: "2011-05-02".to_owned(),
            ends: None,
            organisation: None,
            proof: None,
            do_not_contact: away,
            name: Some(Text::parse(name).unwrap()),
            number: None,
            relation: Some(Text::parse(relation).unwrap()),
        };
        Self {
            holders: vec![
                holder('d', "Sonia Martin", "mère", false),
                holder('f', "Karim Martin", "père", false),
                holder('g', "Jean Martin", "oncle, tuteur", true),
            ],
        }
    }
}
