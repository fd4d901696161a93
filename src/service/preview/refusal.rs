//! All or nothing: what is done only when everybody would read everything, and what is said when somebody would not.

use std::collections::BTreeSet;

use super::{PairView, Subject, judge, told};
use crate::access::Decision;
use crate::access::facts::ParticipationFacts;
use crate::domain::cell::Reason;
use crate::domain::vocabulary::Purpose;
use crate::ids::{ParticipationId, StatuteId};
use crate::service::ServiceError;
use crate::service::flow::Scene;
use crate::service::members::MemberView;

/// The answer when some pair would not be read: nothing is kept, and each « ne lira pas » is said. `why` is for the
/// record alone: the sentences are as coarse as the asker may have them.
pub(in crate::service) fn nothing_done(
    code: &'static str,
    opening: &str,
    refused: &[(MemberView, Vec<PairView>)],
    why: Vec<Reason>,
) -> ServiceError {
    let mut message = opening.to_owned();
    for (member, pairs) in refused {
        for pair in pairs {
            message.push_str(&format!(" {} ne lira pas « {} » :", member.named(), pair.category.french()));
            for reason in &pair.reasons {
                message.push(' ');
                message.push_str(&reason.sentence);
                if let Some(repair) = &reason.repair {
                    message.push_str(&format!(" → {repair}"));
                }
            }
        }
    }
    ServiceError::denied_for(why, code, message)
}

/// Every pair of readers and things, decided; `Err` listing each that would not be read.
pub(in crate::service) fn all_will_read(
    scene: &mut Scene<'_>,
    readers: &[&ParticipationFacts],
    subjects: &[Subject],
    purpose: Purpose,
    statute: Option<&StatuteId>,
    opening: &str,
) -> Result<Vec<(ParticipationId, Vec<Decision>)>, ServiceError> {
    let mut permitted = Vec::new();
    let mut refused = Vec::new();
    let mut why = BTreeSet::new();
    for reader in readers {
        let mut decisions = Vec::new();
        let mut no = Vec::new();
        for subject in subjects {
            let decision = judge(scene, reader, subject, purpose, statute);
            if decision.permitted {
                decisions.push(decision);
            } else {
                why.insert(decision.reason);
                no.push((subject, decision));
            }
        }
        if !no.is_empty() {
            let member = scene.app.member_view(scene.snapshot, scene.gate.book(), reader, scene.now)?;
            let told = no
                .iter()
                .map(|(subject, decision)| told(scene, reader, &member, subject, purpose, None, decision))
                .collect();
            refused.push((member, told));
        }
        permitted.push((reader.id.clone(), decisions));
    }
    if refused.is_empty() {
        return Ok(permitted);
    }
    Err(nothing_done("will_not_read", opening, &refused, why.into_iter().collect()))
}
