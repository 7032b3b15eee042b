namespace SalesTasks.Cli;

/// <summary>Codes that the database stores, as a person reads them. In English the code itself: it is what filters and scripts take.</summary>
internal static class Words
{
    private static readonly Dictionary<string, string> s_spanish = new(StringComparer.Ordinal)
    {
        // States of messages.
        ["pending"] = "pendiente",
        ["leased"] = "tomado",
        ["sending"] = "enviando",
        ["sent"] = "enviado",
        ["in_doubt"] = "en duda",
        ["dead"] = "muerto",
        ["cancelled"] = "cancelado",
        // Channels and purposes.
        ["email"] = "correo",
        ["call"] = "llamada",
        ["task"] = "tarea",
        ["campaign"] = "campaña",
        ["followup"] = "seguimiento",
        ["notice"] = "aviso",
        ["alert"] = "alerta",
        ["report"] = "informe",
        ["summary"] = "resumen",
        // Why something stopped or waits.
        ["replied"] = "respondió",
        ["deal_closed"] = "oportunidad cerrada",
        ["consent_refused"] = "consentimiento negado",
        ["suppressed"] = "dirección bloqueada",
        ["campaign_disabled"] = "campaña desactivada",
        ["execution_stopped"] = "campaña detenida para el lead",
        ["execution_paused"] = "campaña en pausa para el lead",
        ["frequency_cap"] = "tope de frecuencia",
        ["send_window"] = "fuera de horario",
        ["task_closed"] = "tarea cerrada",
        ["by hand"] = "a mano",
        // Campaigns.
        ["email_sequence"] = "secuencia de correos",
        ["call_campaign"] = "campaña de llamadas",
        ["multichannel"] = "multicanal",
        ["nurturing"] = "maduración",
    };

    /// <summary>The code in the language of <c>--lang</c>; what is no code, such as a receiver's answer, stays as it is.</summary>
    public static string Text(PeopleContext context, string code) => context.Text(code, s_spanish.GetValueOrDefault(code, code));
}
