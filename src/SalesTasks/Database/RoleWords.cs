namespace SalesTasks.Database;

/// <summary>Kinds of <see cref="RoleDifference"/> in words.</summary>
internal static class RoleWords
{
    public static string English(string kind) => kind switch
    {
        "role_missing" => "the role is missing",
        "role_foreign" => "the role belongs to something else",
        "role_may_log_in" => "the group role may log in",
        "membership_missing" => "the membership is missing",
        "membership_too_much" => "the membership should not be",
        "owner_wrong" => "belongs to another role",
        "rights_wrong" => "runs with the wrong rights",
        "grant_missing" => "the grant is missing",
        "grant_too_much" => "more is granted than should be",
        "default_missing" => "the default privileges are missing",
        "policy_missing" => "the row-level policy is missing",
        "policy_wrong" => "the row-level policy is another one",
        "row_security_wrong" => "row-level security is switched wrongly",
        _ => kind,
    };

    public static string Spanish(string kind) => kind switch
    {
        "role_missing" => "falta el rol",
        "role_foreign" => "el rol es de otra cosa",
        "role_may_log_in" => "el rol de grupo puede iniciar sesión",
        "membership_missing" => "falta la pertenencia",
        "membership_too_much" => "la pertenencia sobra",
        "owner_wrong" => "es de otro rol",
        "rights_wrong" => "se ejecuta con derechos equivocados",
        "grant_missing" => "falta el permiso",
        "grant_too_much" => "hay más permisos de los debidos",
        "default_missing" => "faltan los permisos por defecto",
        "policy_missing" => "falta la política de filas",
        "policy_wrong" => "la política de filas es otra",
        "row_security_wrong" => "la seguridad de filas está mal activada",
        _ => kind,
    };
}
