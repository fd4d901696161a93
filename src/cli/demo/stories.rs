//! The pathways of the demonstration, told through the services by the people who live them. The words are invented.

use std::io::Write;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Told;
use super::territory::People;
use crate::domain::record::{Action, ResourceKind};
use crate::ids::{AccordId, HandoverId, HolderId, ItemId, ParticipationId, PathwayId};
use crate::service::{Act, App, Happening, ServiceError, SheetId};

/// An input exactly as the API reads it.
fn input<T: DeserializeOwned>(value: Value) -> Result<T, ServiceError> {
    serde_json::from_value(value).map_err(ServiceError::internal)
}

/// One item written: the item and the version that was shown.
struct Written {
    item: ItemId,
    version: String,
}

struct Teller<'a> {
    app: &'a App,
    people: &'a People,
    today: NaiveDate,
}

impl Teller<'_> {
    fn day(&self, days: u64) -> String {
        self.today.checked_add_days(Days::new(days)).unwrap_or(self.today).to_string()
    }

    /// Somebody who is `years` old and will be for another three months.
    fn born(&self, years: i32) -> String {
        let year = self.today.year().saturating_sub(years);
        let this_year = self.today.with_year(year).unwrap_or(self.today);
        this_year.checked_sub_months(Months::new(9)).unwrap_or(this_year).to_string()
    }

    fn open(&self, by: &str, person: Value, mandate: &str) -> Result<PathwayId, ServiceError> {
        let opening = input(json!({
            "person": person,
            "preference": { "said_by": "young_person", "wish": "Je préfère que ce soit la même personne.", "on": self.day(0) },
            "review_on": self.day(150),
            "mandate": mandate,
        }))?;
        let created = self.app.pathway_open(&self.people.call(self.app, by)?, &opening)?;
        PathwayId::parse(&created.id).map_err(ServiceError::internal)
    }

    fn person(&self, first_name: &str, name: &str, years: i32) -> Value {
        json!({
            "identity": {
                "first_name": first_name,
                "name": name,
                "contacts": [{ "kind": "parent", "who": "Mère", "number": "0611223344" }],
                "emergency_contacts": [{ "who": "Tante", "number": "0611223355" }],
            },
            "birth_date": self.born(years),
        })
    }

    fn holder(&self, by: &str, pathway: &PathwayId, name: &str) -> Result<HolderId, ServiceError> {
        let holder = input(json!({
            "capacity": "parent", "from": "2010-01-01", "name": name, "number": "0611223344", "relation": "parent",
        }))?;
        let created = self.app.holder_add(&self.people.call(self.app, by)?, pathway, &holder)?;
        HolderId::parse(&created.id).map_err(ServiceError::internal)
    }

    fn key(&self, login: &str) -> Result<Value, ServiceError> {
        let p = self.people.get(login)?;
        Ok(json!({ "organisation": p.organisation, "profession": p.profession, "mission": p.mission }))
    }

    /// An accord, signed on paper by these holders and, when asked, by the young person; opinion recorded.
    #[expect(clippy::too_many_arguments, reason = "a sheet has this many parts, each of its own type")]
    fn accord(
        &self,
        by: &str,
        pathway: &PathwayId,
        purpose: &str,
        days: u64,
        lines: Vec<Value>,
        signed_by: &[&HolderId],
        co_signed: bool,
    ) -> Result<AccordId, ServiceError> {
        let accord = input(json!({
            "purpose": purpose, "starts": self.day(0), "ends": self.day(days), "language": "fr", "lines": lines,
        }))?;
        let act = |action| Act { action, resource: ResourceKind::Accord };
        let call = || self.people.call(self.app, by);
        let created = self.app.accord_create(&call()?, act(Action::Create), pathway, &accord)?;
        let id = AccordId::parse(&created.id).map_err(ServiceError::internal)?;
        let seen = self.app.accord_read(&call()?, act(Action::Read), &id)?;
        let boxes: Vec<_> = seen.lines.iter().map(|l| l.id.clone()).collect();
        let sheet = SheetId::Accord(id.clone());
        let record = |action, happening: Happening| {
            self.app.sheet_record(&call()?, act(action), &sheet, &happening).map(drop)
        };
        record(Action::Print, Happening::Printed)?;
        let signature = |who: &str| {
            input(json!({
                "by": who,
                "how": { "mode": "paper", "original_at": "Bureau du PRE, classeur des accords" },
                "verified": "known", "lines": boxes, "on": self.day(0),
            }))
        };
        for holder in signed_by {
            record(Action::Sign, Happening::Signed(signature(holder.as_str())?))?;
        }
        record(
            Action::Sign,
            Happening::Opinion(input(json!({ "opinion": "favourable", "on": self.day(0) }))?),
        )?;
        if co_signed {
            record(Action::Sign, Happening::Signed(signature("young_person")?))?;
        }
        Ok(id)
    }

    fn line(
        &self,
        login: &str,
        kind: &str,
        categories: &[&str],
        shows: &[&Written],
    ) -> Result<Value, ServiceError> {
        let shown: Vec<&str> = shows.iter().map(|w| w.version.as_str()).collect();
        Ok(json!({ "recipient": self.key(login)?, "kind": kind, "categories": categories, "shows": shown }))
    }

    /// An invitation that nobody has answered yet.
    fn ask(
        &self,
        by: &str,
        pathway: &PathwayId,
        who: &str,
        mandate: &str,
        role: &str,
        until: Option<String>,
    ) -> Result<ParticipationId, ServiceError> {
        let assignment = &self.people.get(who)?.assignment;
        let invitation =
            input(json!({ "assignment": assignment, "mandate": mandate, "role": role, "until": until }))?;
        let created =
            self.app.participation_invite(&self.people.call(self.app, by)?, pathway, &invitation)?;
        ParticipationId::parse(&created.id).map_err(ServiceError::internal)
    }

    fn invite(
        &self,
        by: &str,
        pathway: &PathwayId,
        who: &str,
        mandate: &str,
        role: &str,
        until: Option<String>,
    ) -> Result<ParticipationId, ServiceError> {
        let id = self.ask(by, pathway, who, mandate, role, until)?;
        self.app.participation_accept(&self.people.call(self.app, who)?, &id)?;
        Ok(id)
    }

    fn write(
        &self,
        by: &str,
        pathway: &PathwayId,
        label: &str,
        content: Value,
        for_stay: bool,
    ) -> Result<Written, ServiceError> {
        let item = input(json!({ "label": label, "content": content, "for_stay": for_stay }))?;
        let created = self.app.item_write(&self.people.call(self.app, by)?, pathway, &item)?;
        let item = ItemId::parse(&created.id).map_err(ServiceError::internal)?;
        let seen = self.app.item(&self.people.call(self.app, by)?, &item, None)?;
        Ok(Written { version: seen.version_id.clone(), item })
    }

    fn share(
        &self,
        by: &str,
        pathway: &PathwayId,
        purpose: &str,
        last_day: String,
        items: &[&Written],
        to: &[&ParticipationId],
    ) -> Result<(), ServiceError> {
        let items: Vec<Value> =
            items.iter().map(|w| json!({ "item": w.item, "version": w.version })).collect();
        // A stay begins ten days before it ends.
        let departure = (purpose == "stay").then(|| self.day(20));
        let share = input(json!({
            "purpose": purpose, "last_day": last_day, "departure": departure, "items": items, "recipients": to,
        }))?;
        self.app.share_create(&self.people.call(self.app, by)?, pathway, &share).map(drop)
    }

    /// S1, S3, S11: coordination at fifteen, a stay prepared, and an AEMO that the camp cannot learn of.
    fn camp(&self) -> Result<Told, ServiceError> {
        let nadia = "nadia.benali";
        let pathway = self.open(nadia, self.person("Lina", "Carpentier", 15), "contractual")?;
        let mother = self.holder(nadia, &pathway, "Karima Carpentier")?;
        let father = self.holder(nadia, &pathway, "Olivier Carpentier")?;
        let both = [&mother, &father];
        let lines = vec![
            self.line("julie.lambert", "recipient", &["schooling"], &[])?,
            self.line("sophie.martin", "recipient", &["schooling"], &[])?,
            self.line("samira.haddad", "recipient", &["housing", "schooling"], &[])?,
            self.line("claire.morel", "recipient", &["schooling"], &[])?,
        ];
        self.accord(nadia, &pathway, "coordination", 300, lines, &both, true)?;
        let teacher = self.invite(nadia, &pathway, "julie.lambert", "contractual", "participant", None)?;
        self.invite(nadia, &pathway, "sophie.martin", "contractual", "participant", None)?;
        self.invite(nadia, &pathway, "samira.haddad", "contractual", "participant", None)?;
        // Not by the référente: whoever invites knows, and the demonstration shows what others do not. Samira invites under
        // the accord that she collected: what the référente's says of a hidden service is not for her.
        let lines = vec![self.line("claire.morel", "recipient", &["schooling"], &[])?];
        self.accord("samira.haddad", &pathway, "coordination", 300, lines, &both, true)?;
        self.invite("samira.haddad", &pathway, "claire.morel", "judicial", "participant", None)?;
        let bus = self.write(
            nadia,
            &pathway,
            "Trajet du matin",
            json!({ "category": "mobility", "fact": "Prend le bus de 7 h 40 ; arrive à l'heure depuis la rentrée", "source": "observed" }),
            false,
        )?;
        let homework = self.write(
            nadia,
            &pathway,
            "Aide aux devoirs",
            json!({ "category": "schooling", "fact": "Vient à l'aide aux devoirs le mardi et le jeudi", "source": "young_person" }),
            false,
        )?;
        self.stay(&pathway, &mother)?;
        let released =
            vec![self.line("julie.lambert", "recipient", &["schooling", "mobility"], &[&homework])?];
        self.accord(nadia, &pathway, "schooling", 200, released, &both, true)?;
        self.share(nadia, &pathway, "schooling", self.day(100), &[&homework], &[&teacher])?;
        drop(bus);
        Ok(Told {
            id: pathway.to_string(),
            story: "Lina, 15 ans : un parcours, un séjour, et une mesure que le séjour n'apprend pas (S1, S3, S11)"
                .to_owned(),
        })
    }

    /// The stay: what the AEMO educator knows reaches the director through the family, one page, one signature.
    fn stay(&self, pathway: &PathwayId, mother: &HolderId) -> Result<(), ServiceError> {
        let claire = "claire.morel";
        let medicine = self.write(
            claire,
            pathway,
            "Traitement du soir",
            json!({ "category": "health_minimal", "kind": "treatment", "what": "Traitement à 20 h, remis par un adulte", "when": "tous les soirs à 20 h", "prescription_kept": "dans la trousse, sous enveloppe" }),
            true,
        )?;
        let clothes = self.write(
            claire,
            pathway,
            "Affaires à prévoir",
            json!({ "category": "practical", "need": "warm_clothes", "detail": "Manque de vêtements chauds" }),
            true,
        )?;
        let lines = vec![self.line(
            "paul.girard",
            "recipient",
            &["health_minimal", "practical"],
            &[&medicine, &clothes],
        )?];
        self.accord(claire, pathway, "stay", 40, lines, &[mother], true)?;
        let director = self.invite(
            "nadia.benali",
            pathway,
            "paul.girard",
            "contractual",
            "stay_organiser",
            Some(self.day(30)),
        )?;
        self.share(claire, pathway, "stay", self.day(30), &[&medicine, &clothes], &[&director])
    }

    /// S2: a street educator hands over to the AEMO, with the family's accord.
    fn handover(&self) -> Result<Told, ServiceError> {
        let (nadia, samira) = ("nadia.benali", "samira.haddad");
        let pathway = self.open(nadia, self.person("Yanis", "Oumar", 13), "contractual")?;
        let mother = self.holder(nadia, &pathway, "Fatou Oumar")?;
        let father = self.holder(nadia, &pathway, "Issa Oumar")?;
        let both = [&mother, &father];
        let lines = vec![
            self.line(samira, "recipient", &["schooling"], &[])?,
            self.line("claire.morel", "recipient", &["schooling", "housing"], &[])?,
        ];
        self.accord(nadia, &pathway, "coordination", 300, lines, &both, false)?;
        self.invite(nadia, &pathway, samira, "territorial", "participant", None)?;
        let school = self.write(
            samira,
            &pathway,
            "Retour au collège",
            json!({ "category": "schooling", "fact": "A repris les cours le matin depuis trois semaines", "source": "observed" }),
            false,
        )?;
        let lines = vec![self.line("claire.morel", "recipient", &["schooling"], &[])?];
        self.accord(samira, &pathway, "handover", 200, lines, &both, false)?;
        let claire = self.invite(samira, &pathway, "claire.morel", "judicial", "participant", None)?;
        let handover = input(json!({
            "incoming": claire, "items": [{ "item": school.item, "version": school.version }], "last_day": self.day(120),
        }))?;
        let made = self.app.handover_create(&self.people.call(self.app, samira)?, &pathway, &handover)?;
        HandoverId::parse(&made.id).map_err(ServiceError::internal)?;
        Ok(Told {
            id: pathway.to_string(),
            story: "Yanis, 13 ans : Samira passe le relais à l'AEMO, qui doit encore accepter (S2)"
                .to_owned(),
        })
    }

    /// S3: what waits on the first page of a référente: an accord that ends, a signature, an invitation.
    fn waiting(&self) -> Result<Told, ServiceError> {
        let nadia = "nadia.benali";
        let pathway = self.open(nadia, self.person("Inès", "Rahmani", 12), "contractual")?;
        let mother = self.holder(nadia, &pathway, "Leïla Rahmani")?;
        let father = self.holder(nadia, &pathway, "Karim Rahmani")?;
        let lines = vec![self.line("sophie.martin", "recipient", &["schooling"], &[])?];
        self.accord(nadia, &pathway, "coordination", 6, lines, &[&mother, &father], false)?;
        let lines = vec![self.line("sophie.martin", "recipient", &["schooling"], &[])?];
        self.accord(nadia, &pathway, "schooling", 200, lines, &[&mother], false)?;
        self.ask(nadia, &pathway, "sophie.martin", "contractual", "participant", None)?;
        Ok(Told {
            id: pathway.to_string(),
            story: "Inès, 12 ans : un accord qui finit, une signature et une réponse attendues (S3)"
                .to_owned(),
        })
    }

    /// S15: a nickname, until the young person decides.
    fn nickname(&self) -> Result<Told, ServiceError> {
        let samira = "samira.haddad";
        let pathway = self.open(samira, json!({ "nickname": "Zed" }), "territorial")?;
        Ok(Told {
            id: pathway.to_string(),
            story: "Zed, un prénom seulement : ni accord, ni partage, ni invitation (S15)".to_owned(),
        })
    }

    /// S5: majority in three months; a référent whose secrecy is contested.
    fn majority(&self) -> Result<Told, ServiceError> {
        let marc = "marc.delattre";
        let pathway = self.open(marc, self.person("Sami", "Nguyen", 17), "contractual")?;
        let mother = self.holder(marc, &pathway, "Linh Nguyen")?;
        let father = self.holder(marc, &pathway, "Paul Nguyen")?;
        let lines = vec![self.line("remi.colin", "recipient", &["schooling", "housing"], &[])?];
        self.accord(marc, &pathway, "integration", 300, lines, &[&mother, &father], true)?;
        let counsellor = self.invite(marc, &pathway, "remi.colin", "contractual", "participant", None)?;
        let project = self.write(
            marc,
            &pathway,
            "Projet",
            json!({ "category": "integration", "fact": "Cherche un apprentissage en cuisine", "source": "young_person" }),
            false,
        )?;
        let lines = vec![self.line("remi.colin", "recipient", &["integration"], &[&project])?];
        self.accord(marc, &pathway, "coordination", 300, lines, &[&mother, &father], true)?;
        self.share(marc, &pathway, "coordination", self.day(60), &[&project], &[&counsellor])?;
        Ok(Told {
            id: pathway.to_string(),
            story: "Sami, 17 ans et 9 mois : ses mots lus par la mission locale, jusqu'à ses 18 ans (S5)"
                .to_owned(),
        })
    }
}

/// Tells every story.
///
/// # Errors
/// As each of the acts.
pub fn tell(app: &App, people: &People, progress: &mut dyn Write) -> Result<Vec<Told>, ServiceError> {
    writeln!(progress, "Parcours, accords, écrits et partages, par chacun…")
        .map_err(ServiceError::internal)?;
    let teller = Teller { app, people, today: app.clock().now().paris_day() };
    Ok(vec![teller.camp()?, teller.handover()?, teller.majority()?, teller.nickname()?, teller.waiting()?])
}
