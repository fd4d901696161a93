//! The first two people of an instance, and the opening of accounts whose holders have no browser at hand.
//!
//! INVARIANT: an instance begins with two administrators, invited by nobody, who recognise each other; neither reaches
//! anything alone.

use zeroize::Zeroizing;

use super::ServiceError;
use super::accounts::{FreshCode, Invited, NewAccount};
use super::app::App;
use super::console::Author;
use super::credentials::FactorCode;
use super::flow::{Act, Call, Change};
use super::recognition::FOUNDERS;
use super::sessions::{SessionOpened, row_ref};
use super::structures::{AssignmentDraft, MissionDraft, OrganisationDraft};
use crate::crypto::token::SessionToken;
use crate::crypto::totp::{self, STEP_SECONDS, TotpSecret};
use crate::domain::contact::Phone;
use crate::domain::record::{Action, ResourceKind};
use crate::domain::text::Text;
use crate::domain::vocabulary::{Function, OrganisationKind, Profession, Secrecy};
use crate::ids::{AssignmentId, OrganisationId, ProfessionalId, RequestId};

/// The mission under which administrators are affected.
const PLATFORM: (&str, &str) = ("plateforme", "Administration de la plateforme");

/// The structure that runs the platform.
pub struct FoundingOrganisation {
    pub code: Text<40>,
    pub name: Text<120>,
    pub kind: OrganisationKind,
    pub territory: Text<120>,
    pub telephone: Phone,
}

/// The two founders, invited.
pub struct Founded {
    pub organisation: OrganisationId,
    pub founders: [Invited; 2],
}

/// What the holder of an account opened without a browser keeps.
pub struct Opened {
    pub id: ProfessionalId,
    pub password: Zeroizing<String>,
    /// Base32, for an application on a telephone.
    pub totp_secret: Zeroizing<String>,
    pub rescue_codes: Vec<String>,
    /// The session in which the opening ends: no affectation is chosen in it yet.
    pub session: SessionOpened,
}

impl App {
    /// Makes the first structure and its two administrators, in one act of the command line.
    ///
    /// # Errors
    /// When the instance has founders already.
    pub fn found(
        &self,
        organisation: &FoundingOrganisation,
        administrators: &[NewAccount; 2],
    ) -> Result<Founded, ServiceError> {
        let act = Act { action: Action::Create, resource: ResourceKind::Instance };
        let chance = self.chance();
        let id = OrganisationId::random(chance)?;
        let people = [ProfessionalId::random(chance)?, ProfessionalId::random(chance)?];
        let assignments = [AssignmentId::random(chance)?, AssignmentId::random(chance)?];
        let codes = [FreshCode::new(self)?, FreshCode::new(self)?];
        let text = |t: &str| Text::parse(t).map_err(ServiceError::internal);
        let draft = OrganisationDraft {
            code: organisation.code.clone(),
            name: organisation.name.clone(),
            kind: organisation.kind,
            territory: organisation.territory.clone(),
            telephone: organisation.telephone.clone(),
            missions: vec![MissionDraft {
                code: Text::parse(PLATFORM.0).map_err(ServiceError::internal)?,
                title: text(PLATFORM.1)?,
            }],
        };
        let [first, second] = administrators;
        if first.login.as_str().eq_ignore_ascii_case(second.login.as_str()) {
            return Err(ServiceError::rule(
                "two_founders",
                "Il faut deux administrateurs différents : donnez deux identifiants.",
            ));
        }
        self.administer(Author::Console("init"), act, |office| {
            if office.snapshot.instance_value(FOUNDERS)?.is_some() {
                return Err(ServiceError::rule(
                    "already_founded",
                    "Cette instance a déjà ses administrateurs.",
                ));
            }
            let mut mission = None;
            let mut change = office.organisation_into(Change::new(id.as_str()), &id, &draft, &mut mission)?;
            let mission =
                mission.ok_or_else(|| ServiceError::Internal("a structure without mission".to_owned()))?;
            for (((person, new), code), assignment) in
                people.iter().zip(administrators).zip(&codes).zip(&assignments)
            {
                change = office.invite_into(change, person, new, code)?;
                let draft = AssignmentDraft {
                    professional: person.clone(),
                    organisation: id.clone(),
                    mission: mission.clone(),
                    profession: Profession::Administrator,
                    function: Function::Practitioner,
                    secrecy: Secrecy::NotBound,
                    secrecy_basis: None,
                    secrecy_until: None,
                    starts: None,
                    ends: None,
                };
                change = office.assignment_into(change, assignment, &draft, &[])?;
            }
            let named = people.iter().map(ProfessionalId::as_str).collect::<Vec<_>>().join(",");
            Ok(change.step(row_ref("instance", FOUNDERS, 1), move |tx, _| tx.instance_set(FOUNDERS, &named)))
        })?;
        let [one, two] = people;
        let [code_one, code_two] = codes;
        Ok(Founded { organisation: id, founders: [self.shown(one, &code_one), self.shown(two, &code_two)] })
    }

    pub(super) fn shown(&self, id: ProfessionalId, code: &FreshCode) -> Invited {
        let until = self.clock().now().plus_seconds(super::accounts::INVITATION_SECONDS);
        Invited { id, code: Some(code.code.to_string()), expires_at: Some(until.rfc3339()) }
    }

    /// Opens an account as its holder would, with a random password: for the demonstration, which has nobody at a
    /// telephone. The ordinary two steps, nothing behind them.
    ///
    /// # Errors
    /// As the two steps.
    pub fn open_with_random(&self, invited: &Invited) -> Result<Opened, ServiceError> {
        let code = invited
            .code
            .as_deref()
            .ok_or_else(|| ServiceError::Internal("an invitation whose code was shown before".to_owned()))?;
        // A session token's 256 bits make a password of 43 characters.
        let password = SessionToken::generate(self.chance())?.reveal();
        let opening =
            self.open_account(&RequestId::random(self.chance())?, code, password.to_string(), None)?;
        let secret = TotpSecret::from_base32(&opening.totp_secret).map_err(ServiceError::internal)?;
        // The step before this one: the one of now stays good for whoever signs in next.
        let digits = totp::code(&secret, self.clock().now().plus_seconds(-STEP_SECONDS))
            .ok_or_else(|| ServiceError::Internal("no code".to_owned()))?;
        let typed = FactorCode::parse(&digits).map_err(ServiceError::internal)?;
        let session =
            self.confirm_account(&RequestId::random(self.chance())?, code, &opening.ticket, &typed, None)?;
        Ok(Opened {
            id: invited.id.clone(),
            password,
            totp_secret: Zeroizing::new(opening.totp_secret.clone()),
            rescue_codes: opening.rescue_codes,
            session,
        })
    }

    /// A call with the token of a session that a service just opened.
    ///
    /// # Errors
    /// No randomness.
    pub fn call_of(&self, session: &SessionOpened) -> Result<Call, ServiceError> {
        let token = SessionToken::parse(&session.token).map_err(ServiceError::internal)?;
        Ok(Call {
            request: RequestId::random(self.chance())?,
            token: self.store().instance_keys().session_hash(&token),
            assignment: None,
            idempotency: None,
        })
    }

    /// Settles people just imported by a session of `first`: each opens the account; `second` confirms what was stated;
    /// each is recognised by `second` while the structure has nobody, then by a colleague. Gives each a session under
    /// the first affectation.
    ///
    /// # Errors
    /// As each of the acts.
    pub fn settle(
        &self,
        second: &SessionOpened,
        invited: &[Invited],
        stated: &[AssignmentId],
    ) -> Result<Vec<Opened>, ServiceError> {
        for id in stated {
            self.assignment_confirm(&self.call_of(second)?, id)?;
        }
        let mut settled: Vec<Opened> = Vec::with_capacity(invited.len());
        for one in invited {
            let mut opened = self.open_with_random(one)?;
            // Chosen before anything is asked: a refusal would be a record of something that nobody tried.
            let colleague = self.recogniser(&one.id, second, settled.iter().map(|s| &s.session))?;
            self.recognise(&self.call_of(colleague)?, &one.id)?;
            let mine = {
                let mut snapshot = self.store().snapshot()?;
                let now = self.moment(&mut snapshot)?;
                let all = snapshot.assignments_of(&one.id)?;
                all.into_iter().find(|r| r.facts.in_force(now)).map(|r| r.facts.id)
            };
            if let Some(assignment) = mine {
                opened.session = self.choose_assignment(&self.call_of(&opened.session)?, &assignment)?;
            }
            settled.push(opened);
        }
        Ok(settled)
    }
}
