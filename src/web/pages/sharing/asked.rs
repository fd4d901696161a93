//! What is asked on Partager: from an address or a form, to the service and to an address again.

use crate::domain::day::Day;
use crate::domain::text::{EntryError, FieldErrors};
use crate::domain::vocabulary::{Category, Profession, Purpose, Secrecy};
use crate::ids::{ItemId, StatuteId};
use crate::service::preview::{Hypothetical, ItemRef, PreviewRequest};
use crate::web::form::Form;
use crate::web::pages::entered::missing;
use crate::web::pages::words;
use crate::web::route::{Fault, Incoming};

/// How many writings are asked about in one go: each is told of every reader.
pub(super) const MOST_AT_ONCE: usize = 20;

/// What is asked, as an address or a form tells it.
#[derive(Clone, Default)]
pub(super) struct Asked {
    pub items: Vec<String>,
    pub category: String,
    pub purpose: String,
    pub last_day: String,
    pub departure: String,
    pub statute: String,
    pub profession: String,
    pub secrecy: String,
    /// The page of writings.
    pub page: String,
}

impl Asked {
    pub fn of_address(incoming: &Incoming) -> Self {
        let one = |name: &str| incoming.query.get(name).cloned().unwrap_or_default();
        Self {
            items: one("item").split('.').filter(|i| !i.is_empty()).map(ToOwned::to_owned).collect(),
            category: one("category"),
            purpose: one("purpose"),
            last_day: one("last_day"),
            departure: one("departure"),
            statute: one("statute"),
            profession: one("profession"),
            secrecy: one("secrecy"),
            page: one("suite"),
        }
    }

    /// The left form's fields, or those that the answer carries (`items[0].item`).
    pub fn of_form(form: &Form) -> Self {
        let one = |name: &str| form.one(name).unwrap_or_default().to_owned();
        let carried = |name: &str| name == "item" || name.starts_with("items[") && name.ends_with("].item");
        Self {
            items: form.fields().filter(|(n, _)| carried(n)).map(|(_, v)| v.to_owned()).collect(),
            category: one("category"),
            purpose: one("purpose"),
            last_day: one("last_day"),
            departure: one("departure"),
            statute: one("statute"),
            profession: String::new(),
            secrecy: String::new(),
            page: one("suite"),
        }
    }

    /// The same question, with other things.
    pub fn rest(&self) -> String {
        let mut out = String::new();
        for (name, value) in [
            ("purpose", &self.purpose),
            ("last_day", &self.last_day),
            ("departure", &self.departure),
            ("statute", &self.statute),
        ] {
            if !value.is_empty() {
                out.push_str(&format!("&{name}={}", words::encoded(value)));
            }
        }
        out
    }

    pub fn address(&self, frame_path: &str) -> String {
        let mut out = format!("{frame_path}?item={}", words::encoded(&self.items.join(".")));
        if !self.category.is_empty() {
            out.push_str(&format!("&category={}", words::encoded(&self.category)));
        }
        out.push_str(&self.rest());
        if !self.page.is_empty() {
            out.push_str(&format!("&suite={}", words::encoded(&self.page)));
        }
        out
    }

    /// As the left form shows it.
    pub fn form(&self) -> Form {
        let mut fields: Vec<(&str, &str)> = self.items.iter().map(|i| ("item", i.as_str())).collect();
        fields.extend([
            ("category", self.category.as_str()),
            ("purpose", &self.purpose),
            ("last_day", &self.last_day),
            ("departure", &self.departure),
            ("statute", &self.statute),
            ("profession", &self.profession),
            ("secrecy", &self.secrecy),
        ]);
        Form::of(&fields)
    }

    /// The question to the service; `None` until there is something to ask about.
    pub fn request(&self) -> Result<Option<PreviewRequest>, Fault> {
        let nothing = self.items.is_empty() && self.category.is_empty();
        if nothing || self.purpose.is_empty() {
            return Ok(None);
        }
        if self.items.len() > MOST_AT_ONCE {
            let many = FieldErrors::one("item", EntryError::TooMany { max: MOST_AT_ONCE });
            return Err(Fault::Syntax(many.into()));
        }
        let form = self.form();
        let wrong = |e: FieldErrors| Fault::Syntax(e.into());
        let mut items = Vec::with_capacity(self.items.len());
        for id in &self.items {
            let item = ItemId::parse(id).map_err(|_| missing("item"))?;
            items.push(ItemRef { item, version: None });
        }
        let category = match form.one("category") {
            Some(_) => Some(form.need("category", Category::parse).map_err(wrong)?),
            None => None,
        };
        let last_day = match form.one("last_day") {
            Some(_) => Some(form.need("last_day", Day::parse).map_err(wrong)?),
            None => None,
        };
        if form.one("departure").is_some() {
            form.need("departure", Day::parse).map_err(wrong)?;
        }
        let statute = match form.one("statute") {
            Some(_) => Some(form.need("statute", StatuteId::parse).map_err(wrong)?),
            None => None,
        };
        Ok(Some(PreviewRequest {
            purpose: form.need("purpose", Purpose::parse).map_err(wrong)?,
            items,
            category,
            recipients: None,
            hypothetical: None,
            last_day,
            statute,
        }))
    }

    /// Somebody who is not in the circle.
    pub fn hypothetical(&self) -> Result<Option<Hypothetical>, Fault> {
        if self.profession.is_empty() {
            return Ok(None);
        }
        let form = self.form();
        let wrong = |e: FieldErrors| Fault::Syntax(e.into());
        let secrecy = match form.one("secrecy") {
            Some(_) => Some(form.need("secrecy", Secrecy::parse).map_err(wrong)?),
            None => None,
        };
        let profession = form.need("profession", Profession::parse).map_err(wrong)?;
        Ok(Some(Hypothetical { organisation: None, profession, mission: None, secrecy }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::pages::entered::Entered;

    #[test]
    fn more_than_can_be_told_is_refused_at_the_boxes() {
        let asked = |many: usize| Asked {
            items: (0..many).map(|_| super::super::sample::item_id('a').to_string()).collect(),
            purpose: "schooling".to_owned(),
            last_day: "2027-06-14".to_owned(),
            ..Asked::default()
        };
        assert!(asked(MOST_AT_ONCE).request().is_ok());
        let Err(Fault::Syntax(error)) = asked(MOST_AT_ONCE + 1).request() else { panic!("too many pass") };
        let told = Entered::refused(&Form::default(), &error);
        assert_eq!(told.told()[0].field, "item");
    }

    #[test]
    fn a_question_keeps_its_shape_from_form_to_address() {
        let (last, first) = (("last_day", "2027-01-09"), ("departure", "2027-01-01"));
        let form = Form::of(&[("item", "a"), ("item", "b"), ("purpose", "stay"), last, first]);
        let asked = Asked::of_form(&form);
        let address = "/p?item=a.b&purpose=stay&last_day=2027-01-09&departure=2027-01-01";
        assert_eq!(asked.address("/p"), address);
        let carried = Form::of(&[("items[0].item", "a"), ("items[0].version", "v"), ("purpose", "stay")]);
        assert_eq!(Asked::of_form(&carried).items, ["a"]);
    }
}
