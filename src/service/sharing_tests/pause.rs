//! The review that was not held (S3): what a preview says is what a share, a handover or a word said would meet.

use super::shares::camp;
use super::*;
use crate::service::spoken::NewSpoken;

fn shared() -> (Circle, ItemRef) {
    let mut c = Circle::young();
    c.join("prevention", Mandate::Contractual, Role::Participant, Some("referente"));
    for purpose in [Purpose::Coordination, Purpose::Handover] {
        c.accord(purpose, vec![c.line("prevention", &[Category::Family], &[])], &[c.mother.clone()]);
    }
    let home = c.write("referente", family());
    (c, home)
}

#[test]
fn story_s3_from_the_review_date_a_preview_says_no_to_whatever_is_refused() {
    let (c, home) = shared();
    let today = c.now().paris_day();
    for (days, open) in [(1, true), (0, false), (-29, false), (-30, false), (-400, false)] {
        c.review(today + chrono::Duration::days(days));
        for purpose in [Purpose::Coordination, Purpose::Handover] {
            let view = c.preview("referente", purpose, &[&home], None, Some(&["prevention"])).unwrap();
            let thing = &view.readers[0].things[0];
            assert_eq!(thing.will_read, open, "{days} {purpose}");
            assert_eq!(
                thing.reasons.iter().any(|r| r.code == Reason::SharingPaused),
                !open,
                "{days} {purpose}"
            );
        }
        let made = c.share("referente", Purpose::Coordination, &[&home], &["prevention"], last(2027, 4, 1));
        assert_eq!(made.is_ok(), open, "{days}");
        // A word said is shared as a text is: asked, and noted, under the same rule.
        let asked = c
            .preview("referente", Purpose::Coordination, &[], Some(Category::Family), Some(&["prevention"]))
            .unwrap();
        assert_eq!(asked.readers[0].will_read_all, open, "{days}");
        let said = NewSpoken {
            recipient: c.place("prevention").clone(),
            category: Category::Family,
            purpose: Purpose::Coordination,
            item: None,
            on: Day::new(today).unwrap(),
        };
        assert_eq!(c.t.app.spoken_note(&c.call("referente"), &c.pathway, &said).is_ok(), open, "{days}");
    }
}

#[test]
fn story_s3_a_preview_promises_no_day_that_the_reader_will_not_read() {
    let (c, home) = shared();
    c.review(c.now().paris_day() + chrono::Duration::days(1));
    let view = c.preview("referente", Purpose::Coordination, &[&home], None, Some(&["prevention"])).unwrap();
    c.share("referente", Purpose::Coordination, &[&home], &["prevention"], last(2027, 12, 1)).unwrap();
    let read = c.t.app.item(&c.call("prevention"), &home.item, Some(Purpose::Coordination)).unwrap();
    // Thirty days after the review of tomorrow, and not the end of the accord.
    assert_eq!(read.why.until.as_deref(), Some("2027-04-01"));
    assert_eq!(view.readers[0].things[0].until.map(|day| day.iso()), read.why.until);
}

#[test]
fn story_s3_in_the_pause_no_stay_begins_and_the_one_in_progress_is_read() {
    let (c, health, coat) = camp("referente");
    c.share("referente", Purpose::Stay, &[&health], &["director"], last(2027, 3, 20)).unwrap();
    c.review(c.now().paris_day() - chrono::Duration::days(31));
    assert!(c.reads("director", &health, Purpose::Stay));
    let view = c.preview("referente", Purpose::Stay, &[&coat], None, Some(&["director"])).unwrap();
    assert_eq!(codes(&view)[0].1, [Reason::SharingPaused]);
    let refused = c.share("referente", Purpose::Stay, &[&coat], &["director"], last(2027, 3, 20));
    assert_eq!(rule(refused).0, "review_overdue");
}

/// The same words to every member: the pause tells nothing of who shares what with whom.
#[test]
fn story_s3_every_member_is_told_of_the_pause_and_the_director_of_a_stay_is_not() {
    let (c, home) = shared();
    c.share("referente", Purpose::Coordination, &[&home], &["prevention"], last(2027, 12, 1)).unwrap();
    let today = c.now().paris_day();
    let paused = |name: &str| c.t.app.pathway(&c.call(name), &c.pathway).unwrap().paused;
    for (days, told) in [(1, false), (-29, false), (-30, true)] {
        c.review(today + chrono::Duration::days(days));
        for name in ["referente", "prevention"] {
            assert_eq!(paused(name), told, "{days} {name}");
        }
        assert_eq!(c.reads("prevention", &home, Purpose::Coordination), !told, "{days}");
    }
    let (c, _, _) = camp("referente");
    c.review(today - chrono::Duration::days(31));
    let seen = c.t.app.pathway(&c.call("director"), &c.pathway).unwrap();
    assert!(!seen.paused && seen.review_on.is_none());
}
