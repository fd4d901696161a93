//! A text that is corrected after it was shared (S1): its sharer is told until nobody reads the old words, and nobody
//! else is told anything (S11).

use super::shares::{camp, share_id};
use super::*;
use crate::service::shares::EndShare;
use crate::service::shares_corrected::LeftBehind;
use crate::service::today::Waiting;

fn in_the_morning() -> Value {
    json!({"category": "health_minimal", "kind": "treatment", "what": "Un comprimé", "when": "8 h",
           "prescription_kept": "dans la pochette bleue"})
}

fn told(c: &Circle, name: &str) -> Vec<LeftBehind> {
    c.t.app.shares_corrected(&c.call(name), &c.pathway).unwrap().into_inner()
}

fn line(c: &Circle, name: &str) -> Option<(String, bool)> {
    let view = c.t.app.today(&c.call(name)).unwrap();
    let line = view.waiting.iter().find(|w| w.kind == Waiting::CorrectedSince)?;
    Some((line.object.clone().unwrap(), line.telephone.is_some()))
}

#[test]
fn story_s1_a_correction_waits_for_its_sharer_until_nobody_reads_the_old_words() {
    for author in ["referente", "aemo"] {
        let (c, health, coat) = camp(author);
        let to_camp = |items: &[&ItemRef]| {
            c.share(author, Purpose::Stay, items, &["director"], last(2027, 3, 20))
                .map(|made| share_id(&made))
        };
        let shared = to_camp(&[&health, &coat]).unwrap();
        assert!(told(&c, author).is_empty() && line(&c, author).is_none());
        let new = c.write_version(author, &health.item, 2, in_the_morning());
        let [behind] = told(&c, author).try_into().unwrap();
        assert_eq!((&behind.item, &behind.share), (&health.item, &shared), "{author}");
        assert_eq!(behind.reader.member.name, "Prénom director");
        // The family has not seen the new words: that is what is missing.
        let missing: Vec<Reason> = behind.reader.things[0].reasons.iter().map(|r| r.code).collect();
        assert!(missing.contains(&Reason::NotFamilyReleased), "{author}: {missing:?}");
        assert_eq!(line(&c, author), Some((shared.as_str().to_owned(), true)), "{author}");
        // Seen and signed: to be shared, and still told until it is.
        let words = c.line("director", &[], &[(&new, Category::HealthMinimal)]);
        c.accord(Purpose::Stay, vec![words], &[c.mother.clone(), CHILD]);
        let [behind] = told(&c, author).try_into().unwrap();
        assert!(behind.reader.will_read_all, "{author}");
        assert!(line(&c, author).is_some(), "{author}");
        to_camp(&[&new]).unwrap();
        assert!(c.reads("director", &new, Purpose::Stay), "{author}");
        assert!(told(&c, author).is_empty() && line(&c, author).is_none(), "{author}");
    }
}

#[test]
fn an_old_share_that_ends_leaves_nobody_behind() {
    let (c, health, _) = camp("referente");
    let made = c.share("referente", Purpose::Stay, &[&health], &["director"], last(2027, 3, 20)).unwrap();
    c.write_version("referente", &health.item, 2, in_the_morning());
    assert!(line(&c, "referente").is_some());
    let end = EndShare::default();
    c.t.app.share_end(&c.call("referente"), &c.pathway, &share_id(&made), &end).unwrap();
    assert!(told(&c, "referente").is_empty() && line(&c, "referente").is_none());
}

#[test]
fn law_s11_a_correction_betrays_its_author_to_nobody() {
    let sheets = ["referente", "aemo"].map(|author| {
        let (c, health, coat) = camp(author);
        c.share(author, Purpose::Stay, &[&health, &coat], &["director"], last(2027, 3, 20)).unwrap();
        let before = ["referente", "director"]
            .map(|name| serde_json::to_value(&c.t.app.today(&c.call(name)).unwrap().waiting).unwrap());
        c.write_version(author, &health.item, 2, in_the_morning());
        let other = if author == "aemo" { "referente" } else { "aemo" };
        assert!(told(&c, other).is_empty() && line(&c, other).is_none(), "{author}: {other}");
        if author == "aemo" {
            let after = ["referente", "director"]
                .map(|name| serde_json::to_value(&c.t.app.today(&c.call(name)).unwrap().waiting).unwrap());
            assert_eq!(before, after, "nothing that they read has changed");
        }
        assert!(absent(c.t.app.shares_corrected(&c.call("director"), &c.pathway)));
        assert!(absent(c.t.app.shares_corrected(&c.call("outsider"), &c.pathway)));
        let act = Act { action: Action::Read, resource: ResourceKind::Item };
        let sheet = c.t.app.stay_sheet(&c.call("director"), act, &c.pathway).unwrap();
        assert!(sheet.lines.iter().any(|l| l.corrected_on.is_some()), "the director asks for the new words");
        let whom = c.t.app.pathway(&c.call("director"), &c.pathway).unwrap();
        assert_eq!(whom.referent.as_ref().unwrap().who.name, "Prénom referente", "{author}");
        serde_json::to_string(&*sheet).unwrap()
    });
    assert_eq!(sheets[0], sheets[1], "whoever wrote it");
}
