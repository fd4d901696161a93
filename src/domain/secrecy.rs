//! On which text the professional secrecy of an affectation rests (LAW §3, §5): a closed list, offered to who states it.
//!
//! INVARIANT: a secret has a text, discretion has none. Whether the text fits the person is for the second person to
//! say, who confirms; this module only refuses what can never be.

use super::vocabulary::{Secrecy, code_enum};

code_enum! {
    /// The text on which a secret rests.
    SecrecyBasis, "secrecy basis" {
        CasfL411_3 = "casf_l411_3", "CASF L411-3 (assistants de service social)";
        CasfL221_6 = "casf_l221_6", "CASF L221-6 (mission d'aide sociale à l'enfance)";
        CasfL133_5 = "casf_l133_5", "CASF L133-5 (CCAS, aide sociale)";
        CasfL262_44 = "casf_l262_44", "CASF L262-44 (accompagnement au RSA)";
        CasfL121_6_2 = "casf_l121_6_2", "CASF L121-6-2 (coordonnateur nommé par le maire)";
        CspL1110_4 = "csp_l1110_4", "CSP L1110-4 I (services du L312-1 CASF : prévention, AEMO)";
        CjpmL241_1 = "cjpm_l241_1", "CJPM L241-1 (protection judiciaire de la jeunesse)";
        CspHealth = "csp_health", "Code de la santé publique (professions de santé)";
        CgfpL121_6 = "cgfp_l121_6", "CGFP L121-6 (agents publics : secret discuté)";
    }
}

/// Why status and text do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecrecyError {
    #[error("a secret rests on a text; choose one of the list")]
    BasisMissing,
    #[error("discretion rests on no text of secrecy; leave it out")]
    BasisWithoutSecret,
    #[error("`cgfp_l121_6` alone does not bind; state the status as `contested`")]
    OnlyContested,
    #[error("a status without secret has no expiry; leave it out")]
    ExpiryWithoutSecret,
}

/// Whether a status can rest on this text.
///
/// # Errors
/// [`SecrecyError`].
pub const fn check(secrecy: Secrecy, basis: Option<SecrecyBasis>, expires: bool) -> Result<(), SecrecyError> {
    match (secrecy, basis) {
        (Secrecy::Bound | Secrecy::Contested, None) => Err(SecrecyError::BasisMissing),
        // LAW: CGFP L121-6 is read by doctrine as covering only those whom CP 226-13 covers already (LAW §3).
        (Secrecy::Bound, Some(SecrecyBasis::CgfpL121_6)) => Err(SecrecyError::OnlyContested),
        (Secrecy::NotBound, Some(_)) => Err(SecrecyError::BasisWithoutSecret),
        (Secrecy::NotBound, None) if expires => Err(SecrecyError::ExpiryWithoutSecret),
        (Secrecy::Bound | Secrecy::Contested, Some(_)) | (Secrecy::NotBound, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn law_a_secret_has_a_text_and_discretion_has_none() {
        assert_eq!(check(Secrecy::Bound, Some(SecrecyBasis::CasfL411_3), true), Ok(()));
        assert_eq!(check(Secrecy::Contested, Some(SecrecyBasis::CgfpL121_6), false), Ok(()));
        assert_eq!(check(Secrecy::NotBound, None, false), Ok(()));
        assert_eq!(check(Secrecy::Bound, None, false), Err(SecrecyError::BasisMissing));
        assert_eq!(check(Secrecy::Contested, None, false), Err(SecrecyError::BasisMissing));
        assert_eq!(
            check(Secrecy::Bound, Some(SecrecyBasis::CgfpL121_6), false),
            Err(SecrecyError::OnlyContested)
        );
        assert_eq!(
            check(Secrecy::NotBound, Some(SecrecyBasis::CasfL221_6), false),
            Err(SecrecyError::BasisWithoutSecret)
        );
        assert_eq!(check(Secrecy::NotBound, None, true), Err(SecrecyError::ExpiryWithoutSecret));
    }
}
