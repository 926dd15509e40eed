//! What answers each contract field of the domain, one line a field.

mod form;
mod question;
mod to_request;

use ward_engine::{Bindings, Kind, Returns, op};

use crate::form::{change as forms, copy, share};
use crate::listing;
use crate::question::change as questions;
use crate::tables::{CUSTOM_MODULE_FORMS, CUSTOM_MODULES};

/// Binds the domain's fields.
pub fn bind(b: &mut Bindings) {
    b.unserved(include_str!("../unserved.txt"));
    queries(b);
    mutations(b);
    form::bind(b);
    question::bind(b);
    to_request::bind(b);
}

fn queries(b: &mut Bindings) {
    b.query_one("customModuleForm", &CUSTOM_MODULE_FORMS, listing::form)
        .args(listing::FORM_ARGS)
        .orders(listing::FORM_ORDERS, "UPDATED_AT_DESC")
        .public();
    b.query_list("customModuleForms", &CUSTOM_MODULE_FORMS, listing::forms)
        .args(listing::FORMS_ARGS)
        .orders(listing::FORM_ORDERS, "UPDATED_AT_DESC")
        .public();
    b.query_count("customModuleFormsCount", &CUSTOM_MODULE_FORMS, listing::forms)
        .args(listing::FORMS_ARGS);
    b.query_list("customModules", &CUSTOM_MODULES, listing::questions)
        .args(&[("keywords", Kind::Plain)])
        .orders(listing::MADE, "CREATED_AT_DESC");
}

fn mutations(b: &mut Bindings) {
    const FORM: &[(&str, Returns)] = &[("customModuleForm", Returns::One(&CUSTOM_MODULE_FORMS))];
    const QUESTION: &[(&str, Returns)] = &[("customModule", Returns::One(&CUSTOM_MODULES))];
    b.mutation("createCustomModuleForm", FORM, op!(forms::create));
    b.mutation("updateCustomModuleForm", FORM, op!(forms::update));
    b.mutation("deleteCustomModuleForm", FORM, op!(forms::delete));
    b.mutation("copyCustomModuleForm", FORM, op!(copy::copy));
    b.mutation("shareCustomModuleForm", FORM, op!(share::share));
    b.mutation("createCustomModule", QUESTION, op!(questions::create));
    b.mutation("updateCustomModule", QUESTION, op!(questions::update));
    b.mutation("deleteCustomModule", QUESTION, op!(questions::delete));
    b.mutation("copyCustomModule", QUESTION, op!(questions::copy));
}
