//! The tables, as Diesel sees them (both engines). Kept in step with `migrations/` by a test.

diesel::table! {
    instance (name) {
        name -> Text,
        value -> Text,
    }
}

diesel::table! {
    counter (name) {
        name -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    data_key (key_id) {
        key_id -> Text,
        owner -> Text,
        kek_id -> Text,
        wrapped -> Nullable<Binary>,
        key_commit -> Binary,
        created_at -> BigInt,
        destroyed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    organisation (id) {
        id -> Text,
        version -> BigInt,
        kind -> Text,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        body -> Binary,
    }
}

diesel::table! {
    professional (id) {
        id -> Text,
        version -> BigInt,
        login_index -> Text,
        state -> Text,
        invited_by -> Nullable<Text>,
        recognised_by -> Nullable<Text>,
        recognised_at -> Nullable<BigInt>,
        totp_last_step -> Nullable<BigInt>,
        created_at -> BigInt,
        body -> Binary,
        credentials -> Nullable<Binary>,
    }
}

diesel::table! {
    invitation (id) {
        id -> Text,
        professional -> Text,
        code_hash -> Text,
        kind -> Text,
        issued_by -> Nullable<Text>,
        issued_at -> BigInt,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    assignment (id) {
        id -> Text,
        version -> BigInt,
        professional -> Text,
        organisation -> Text,
        mission -> Text,
        profession -> Text,
        function -> Text,
        secrecy -> Text,
        secrecy_basis -> Text,
        secrecy_until -> Nullable<BigInt>,
        starts_at -> BigInt,
        ends_at -> Nullable<BigInt>,
        stated_by -> Nullable<Text>,
        confirmed_by -> Nullable<Text>,
        confirmed_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    session (id) {
        id -> Text,
        version -> BigInt,
        token_hash -> Text,
        professional -> Text,
        assignment -> Nullable<Text>,
        created_at -> BigInt,
        seen_at -> BigInt,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    login_delay (subject) {
        subject -> Binary,
        failures -> BigInt,
        last_at -> BigInt,
    }
}

diesel::table! {
    charter (id) {
        id -> Text,
        number -> BigInt,
        published_at -> BigInt,
        effective_at -> BigInt,
        policy_hash -> Text,
        text_hash -> Text,
        charter_text -> Text,
        policy_text -> Text,
        published_by -> Nullable<Text>,
    }
}

diesel::table! {
    charter_signature (charter, party_kind, party) {
        charter -> Text,
        party_kind -> Text,
        party -> Text,
        signed_by -> Text,
        signed_at -> BigInt,
        text_hash -> Text,
        policy_hash -> Text,
    }
}

diesel::table! {
    pathway (id) {
        id -> Text,
        version -> BigInt,
        lead -> Text,
        opened_at -> BigInt,
        closed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    participation (id) {
        id -> Text,
        version -> BigInt,
        pathway -> Text,
        assignment -> Text,
        mandate -> Text,
        role -> Text,
        existence -> Text,
        invited_by -> Nullable<Text>,
        invited_at -> BigInt,
        accepted_at -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        until_at -> Nullable<BigInt>,
        stands_in_for -> Nullable<Text>,
    }
}

diesel::table! {
    item (id) {
        id -> Text,
        version -> BigInt,
        pathway -> Text,
        kind -> Text,
        category -> Text,
        subjects -> Text,
        for_stay -> BigInt,
        author -> Text,
        author_assignment -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    item_version (id) {
        id -> Text,
        item -> Text,
        pathway -> Text,
        number -> BigInt,
        author_secrecy -> Text,
        created_at -> BigInt,
        valid_from -> BigInt,
        valid_until -> Nullable<BigInt>,
        body -> Nullable<Binary>,
        erased_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    note (id) {
        id -> Text,
        version -> BigInt,
        pathway -> Text,
        author_assignment -> Text,
        created_at -> BigInt,
        body -> Binary,
    }
}

diesel::table! {
    fact (id, version) {
        id -> Text,
        version -> BigInt,
        pathway -> Text,
        kind -> Text,
        at -> BigInt,
        by_assignment -> Text,
        facts -> Binary,
        words -> Nullable<Binary>,
    }
}

diesel::table! {
    idempotency (subject) {
        subject -> Binary,
        fingerprint -> Binary,
        result -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    handover_rating (month, kind, answer) {
        month -> Text,
        kind -> Text,
        answer -> Text,
        number -> BigInt,
    }
}

diesel::table! {
    sealed_form (subject) {
        subject -> Binary,
        at -> BigInt,
        body -> Binary,
    }
}

diesel::table! {
    emergency (id) {
        id -> Text,
        pathway -> Text,
        at -> BigInt,
    }
}

diesel::table! {
    emergency_reviewed (emergency) {
        emergency -> Text,
    }
}

diesel::table! {
    access_review (id) {
        id -> Text,
        idx -> BigInt,
        outcome -> Text,
        at -> BigInt,
        by_assignment -> Text,
        remark -> Nullable<Binary>,
    }
}

diesel::table! {
    reidentification (id) {
        id -> Text,
        idx -> BigInt,
        pseudonym_of -> Text,
        motive -> Text,
        at -> BigInt,
        by_assignment -> Text,
        reason -> Binary,
    }
}

diesel::table! {
    reidentification_step (request, step) {
        request -> Text,
        step -> BigInt,
        kind -> Text,
        at -> BigInt,
        by_assignment -> Text,
        remark -> Nullable<Binary>,
    }
}

diesel::table! {
    pruning (id) {
        id -> Text,
        class -> Text,
        before_at -> BigInt,
        first_idx -> BigInt,
        last_idx -> BigInt,
        records -> BigInt,
        at -> BigInt,
        by_assignment -> Text,
        reason -> Binary,
    }
}

diesel::table! {
    pruning_decision (request) {
        request -> Text,
        outcome -> Text,
        at -> BigInt,
        by_assignment -> Text,
        remark -> Binary,
    }
}

diesel::table! {
    audit_leaf (idx) {
        idx -> BigInt,
        leaf_hash -> Binary,
        nodes -> Binary,
        body -> Nullable<Text>,
        retention_class -> Text,
    }
}

diesel::table! {
    audit_index (idx) {
        idx -> BigInt,
        at -> BigInt,
        actor -> Nullable<Text>,
        organisation -> Nullable<Text>,
        profession -> Nullable<Text>,
        action -> Text,
        pathway -> Nullable<Text>,
        purpose -> Nullable<Text>,
        decision -> Text,
    }
}

diesel::table! {
    audit_detail (idx) {
        idx -> BigInt,
        salt -> Binary,
        key_id -> Text,
        ciphertext -> Binary,
    }
}

diesel::table! {
    audit_head (id) {
        id -> BigInt,
        size -> BigInt,
        frontier -> Binary,
        last_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_checkpoint (size) {
        size -> BigInt,
        note -> Text,
    }
}

diesel::table! {
    audit_cosignature (size, witness) {
        size -> BigInt,
        witness -> Text,
        at -> BigInt,
        line -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(instance, counter, data_key, organisation, professional, invitation, assignment, session, login_delay, charter, charter_signature, pathway, participation, item, item_version, note, fact, idempotency, handover_rating, sealed_form, emergency, emergency_reviewed, access_review, reidentification, reidentification_step, pruning, pruning_decision, audit_leaf, audit_index, audit_detail, audit_head, audit_checkpoint, audit_cosignature);
