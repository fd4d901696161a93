//! What the facts of a pathway hold: the typed, readable half on which decisions rest. Names of fields are the storage
//! format; a field that is added has a default.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::access::facts::ShareRecipient;
use crate::clock::Timestamp;
use crate::domain::accord::Event;
use crate::domain::statute::{StatuteEvent, StatutoryRecord};
use crate::domain::vocabulary::{Category, Purpose, Step};
use crate::ids::{AccordId, HandoverId, ItemVersionId, ParticipationId, ReleaseId, ShareId};

/// Step and review date (fact `course`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CourseBody {
    pub step: Step,
    pub review_on: Option<NaiveDate>,
}

/// On which sheet an event was recorded (fact `accord_event`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sheet {
    Accord(AccordId),
    Release(ReleaseId),
    /// On no sheet: it covers what the recorder may not even see.
    Standing,
}

/// A signature, refusal, withdrawal… (fact `accord_event`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventBody {
    pub sheet: Sheet,
    pub event: Event,
}

/// A share (fact `share`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareBody {
    pub sharer: ParticipationId,
    pub purpose: Purpose,
    pub starts: Timestamp,
    pub ends: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub category: Option<Category>,
    pub versions: Vec<ItemVersionId>,
    pub recipients: Vec<ShareRecipient>,
    pub handover: Option<HandoverId>,
    /// A stay: its first day. A share without one is stored as it was before there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub departure: Option<NaiveDate>,
}

/// A handover (fact `handover`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandoverBody {
    pub outgoing: ParticipationId,
    pub incoming: ParticipationId,
    pub share: ShareId,
    pub accepted_at: Option<Timestamp>,
    pub declined_at: Option<Timestamp>,
    pub outgoing_confirmed_at: Option<Timestamp>,
    pub incoming_confirmed_at: Option<Timestamp>,
    /// Whom a référent who leaves has named in its place; takes effect when both ends have confirmed.
    #[serde(default)]
    pub new_referent: Option<ParticipationId>,
    /// That the receiving service has said whether it had to start again; what it said stands nowhere here.
    #[serde(default)]
    pub rated_at: Option<Timestamp>,
}

/// A statutory record with its events (fact `statute`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatuteBody {
    pub record: StatutoryRecord,
    pub events: Vec<StatuteEvent>,
    pub author: ParticipationId,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What this version writes of a share that has no departure is, byte for byte, what was written before there were
    /// any: a fact that is written again keeps its digest.
    #[test]
    fn a_share_without_a_departure_is_stored_as_it_always_was() {
        let letters = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
        let before = format!(
            "{{\"sharer\":\"{letters}\",\"purpose\":\"stay\",\"starts\":1803978000000000,\
             \"ends\":1805583600000000,\"ended_at\":null,\"category\":null,\"versions\":[\"{letters}\"],\
             \"recipients\":[],\"handover\":null}}"
        );
        let read: ShareBody = serde_json::from_str(&before).unwrap();
        assert_eq!(read.departure, None);
        assert_eq!(serde_json::to_string(&read).unwrap(), before);
        let day = NaiveDate::from_ymd_opt(2027, 3, 12);
        let written = serde_json::to_string(&ShareBody { departure: day, ..read }).unwrap();
        assert!(written.ends_with("\"departure\":\"2027-03-12\"}"), "{written}");
        assert_eq!(serde_json::from_str::<ShareBody>(&written).unwrap().departure, day);
    }
}
