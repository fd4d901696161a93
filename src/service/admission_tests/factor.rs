//! Promises of the second factor on another telephone: both proofs again, one offer, and the old one good until the end.

use super::*;
use crate::service::accounts::Opening;

fn typed(text: &str) -> FactorCode {
    FactorCode::parse(text).unwrap()
}

fn password(opened: &Opened) -> Password {
    Password::typed(opened.password.to_string()).unwrap()
}

/// Another session of somebody, a step later.
fn session(t: &Territory, opened: &Opened) -> Call {
    wait(t, 31);
    let signed_in = right(t, opened, "camille").unwrap();
    t.app.call_of(&signed_in).unwrap()
}

fn offered(t: &Territory, call: &Call, opened: &Opened) -> Opening {
    wait(t, 31);
    t.app.factor_offer(call, &password(opened), &typed(&code(t, opened)), None).unwrap()
}

/// The code of a factor that is offered.
fn shown(t: &Territory, opening: &Opening) -> FactorCode {
    let secret = TotpSecret::from_base32(&opening.totp_secret).unwrap();
    typed(&totp::code(&secret, t.clock.now()).unwrap())
}

fn told(result: Result<SessionOpened, ServiceError>) -> &'static str {
    rule(result)
}

#[test]
fn the_old_factor_is_good_until_the_new_one_is_proved_and_never_after() {
    let t = Territory::new();
    let camille = colleague(&t, "camille");
    let (here, elsewhere) = (session(&t, &camille), session(&t, &camille));
    let opening = offered(&t, &here, &camille);
    wait(&t, 31);
    assert!(right(&t, &camille, "camille").is_ok(), "nothing is replaced yet");
    assert!(still_in(&t.app, &elsewhere));
    let opened = t.app.factor_confirm(&here, &opening.ticket, &shown(&t, &opening), None).unwrap();
    assert_eq!((opened.account, opened.rescue_codes_left), (AccountState::Confirmed, 8));
    let fresh = t.app.call_of(&opened).unwrap();
    assert!(still_in(&t.app, &fresh) && !still_in(&t.app, &here) && !still_in(&t.app, &elsewhere));
    wait(&t, 31);
    assert!(right(&t, &camille, "camille").is_err(), "the old telephone");
    let rescued = |code: &str| t.app.sign_in(&ask("camille", &camille.password, code));
    assert!(rescued(&camille.rescue_codes[0]).is_err(), "an old backup code");
    let told = rescued(shown(&t, &opening).as_str()).unwrap();
    assert!(told.factor_replaced_at.is_some(), "whoever holds the account hears of it");
    assert_eq!(rescued(&opening.rescue_codes[0]).unwrap().rescue_codes_left, 8);
}

#[test]
fn threat_an_open_session_alone_replaces_nothing_and_wrong_proofs_delay_as_at_the_door() {
    let t = Territory::new();
    let camille = colleague(&t, "camille");
    let call = session(&t, &camille);
    wait(&t, 31);
    let wrong = Password::typed("un autre mot de passe".to_owned()).unwrap();
    let good = typed(&code(&t, &camille));
    let offer = |password: &Password, code: &FactorCode| t.app.factor_offer(&call, password, code, None);
    let before = records(&t);
    assert_eq!(rule(offer(&wrong, &good)), "factor_not_offered");
    for _ in 0..3 {
        assert_eq!(rule(offer(&password(&camille), &typed("000001"))), "factor_not_offered");
    }
    assert_eq!(records(&t), before + 4, "each is recorded");
    let held = offer(&password(&camille), &good);
    assert!(matches!(held, Err(ServiceError::TooManyAttempts(_))));
    assert!(matches!(right(&t, &camille, "camille"), Err(ServiceError::TooManyAttempts(_))));
    wait(&t, 120);
    // The code that was given is used up, and so is a backup code.
    let used = typed(&code(&t, &camille));
    assert!(offer(&password(&camille), &used).is_ok());
    assert_eq!(rule(offer(&password(&camille), &used)), "factor_not_offered");
    let backup = typed(&camille.rescue_codes[2]);
    assert!(offer(&password(&camille), &backup).is_ok());
    assert_eq!(rule(offer(&password(&camille), &backup)), "factor_not_offered");
}

#[test]
fn an_offer_serves_once_in_its_session_within_a_quarter_of_an_hour() {
    let t = Territory::new();
    let camille = colleague(&t, "camille");
    let (here, elsewhere) = (session(&t, &camille), session(&t, &camille));
    let confirm = |call: &Call, opening: &Opening| {
        t.app.factor_confirm(call, &opening.ticket, &shown(&t, opening), None)
    };
    let late = offered(&t, &here, &camille);
    wait(&t, 15 * 60);
    assert_eq!(told(confirm(&here, &late)), "factor_offer_over");
    let one = offered(&t, &here, &camille);
    assert_eq!(told(confirm(&elsewhere, &one)), "factor_offer_over", "another session's");
    let two = offered(&t, &here, &camille);
    assert_eq!(told(confirm(&here, &one)), "factor_offer_over", "the one before");
    assert_eq!(told(t.app.factor_confirm(&here, "x", &shown(&t, &two), None)), "factor_offer_over");
    let wrong = if shown(&t, &two).as_str() == "000000" { "000001" } else { "000000" };
    assert_eq!(told(t.app.factor_confirm(&here, &two.ticket, &typed(wrong), None)), "totp_refused");
    let opened = confirm(&here, &two).unwrap();
    let fresh = t.app.call_of(&opened).unwrap();
    assert_eq!(told(confirm(&fresh, &two)), "factor_offer_over", "it served");
}
