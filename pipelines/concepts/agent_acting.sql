/*
title = "Immunosuppressants acting, drug by drug"
why   = """A dose on day D acts on [D, D + acts_for_days) of the drug dictionary [P]: daily drugs one day, methotrexate 7,
cyclophosphamide IV, leflunomide, abatacept and tocilizumab IV 28, basiliximab 35, adalimumab 14, infliximab 56, rituximab 180.
IVIG, plasma exchange and antifibrotics are no agents. Only systemic doses given; gap days do not act on their own day.
to_date empty: marked ongoing with no stop recorded, so it goes on counting; last_confirmed says when that was last seen.
no_stop: so marked, though a later row may have ended it, which was not known before that row."""
*/
SELECT
    course.patient_id, course.drug, course.drug_class, course.from_date,
    course.to_date - 1 + coalesce(drug_route.acts_for_days, drug.acts_for_days) AS to_date,
    course.last_confirmed, course.no_stop, course.evidence
FROM treatment_course AS course
JOIN drug ON drug.drug = course.drug
LEFT JOIN drug_route ON drug_route.drug = course.drug AND drug_route.route = course.route
WHERE drug.agent AND course.systemic AND course.action = 'given' AND NOT course.gap
