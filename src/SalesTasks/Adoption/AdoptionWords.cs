using SalesTasks.Cli;

namespace SalesTasks.Adoption;

/// <summary>Words of an old installation (<c>--word</c>), and what each rule is called.</summary>
internal static class AdoptionWords
{
    private static readonly Dictionary<string, string[]> s_meanings = new(StringComparer.Ordinal)
    {
        ["stage"] = ["qualified", "contacted", "meeting_scheduled", "proposal_sent", "negotiating", "closed_won", "closed_lost"],
        ["priority"] = ["low", "medium", "high", "urgent"],
        ["task_type"] = ["email", "call", "meeting", "proposal", "custom"],
        ["task_status"] = ["pending", "in_progress", "completed", "skipped", "cancelled"],
        ["campaign_type"] = ["email_sequence", "call_campaign", "multichannel", "nurturing"],
        ["execution_status"] = ["active", "paused", "completed", "stopped"],
        ["event_type"] =
            ["email_sent", "email_opened", "email_clicked", "email_replied", "call_made", "call_answered", "meeting_scheduled", "proposal_sent", "custom"],
        ["event_status"] = ["queued", "sent", "delivered", "completed", "failed", "skipped"],
    };

    private static readonly Dictionary<string, (string English, string Spanish)> s_rules = new(StringComparer.Ordinal)
    {
        ["duplicate"] = ("row set aside: another one stands for it", "fila apartada: otra la representa"),
        ["orphan"] = ("row set aside: what it refers to is gone", "fila apartada: falta aquello a lo que se refiere"),
        ["no_key"] = ("row set aside: it has no key", "fila apartada: no tiene clave"),
        ["no_score"] = ("row set aside: it has no score", "fila apartada: no tiene puntuación"),
        ["unreadable"] = ("value that cannot be read: emptied", "valor ilegible: vaciado"),
        ["unknown_value"] = ("unknown word: replaced", "palabra desconocida: sustituida"),
        ["other_word"] = ("other word for the same: replaced", "otra palabra para lo mismo: sustituida"),
        ["too_long"] = ("too long: cut", "demasiado largo: cortado"),
        ["control_characters"] = ("control characters: removed", "caracteres de control: eliminados"),
        ["out_of_range"] = ("out of range: limited or emptied", "fuera de rango: limitado o vaciado"),
        ["rounded"] = ("rounded", "redondeado"),
        ["missing_value"] = ("missing value: filled in", "valor ausente: completado"),
        ["missing_column"] = ("column was missing: added", "faltaba la columna: añadida"),
        ["in_the_future"] = ("in the future: now", "en el futuro: ahora"),
        ["contradiction"] = ("contradicted the rest of its row: corrected", "contradecía el resto de su fila: corregido"),
        ["new_id"] = ("id was missing or taken: new one", "id ausente o repetido: nuevo"),
        ["renamed"] = ("name was taken or empty: renamed", "nombre repetido o vacío: cambiado"),
        ["repointed"] = ("refers to the row that stayed", "se refiere a la fila que quedó"),
        ["restored_lead"] = ("lead was missing: made from its deal", "faltaba el lead: creado desde su oportunidad"),
        ["address_folded"] = ("address or blank: written one way", "dirección o vacío: escrita de una sola forma"),
        ["switched_off"] = ("campaigns are off until somebody enables them", "las campañas quedan apagadas hasta que alguien las active"),
        ["step_done"] = ("step that its events show as done: counted", "paso que sus eventos muestran hecho: contado"),
        ["reshaped"] = ("of another shape: kept inside an object, or emptied", "de otra forma: conservado en un objeto, o vaciado"),
        ["column_kept"] = ("column of your own: kept", "columna propia: conservada"),
        ["column_in_metadata"] = ("column of your own, name taken: in metadata", "columna propia, nombre ocupado: en metadata"),
        ["view_remade"] = ("view of your own: works on the new tables", "vista propia: funciona sobre las tablas nuevas"),
        ["view_remade_old_shape"] = ("view of your own: works on the new tables in their old shape", "vista propia: funciona sobre las tablas nuevas con su forma antigua"),
        ["view_set_aside"] = ("view of your own: set aside, does not work on the new tables", "vista propia: apartada, no funciona sobre las tablas nuevas"),
        ["key_moved"] = ("foreign key of your own: refers to the new table", "clave foránea propia: se refiere a la tabla nueva"),
        ["key_not_valid"] = ("foreign key of your own: not all rows hold", "clave foránea propia: no todas las filas la cumplen"),
        ["key_dropped"] = ("foreign key of your own: dropped, cannot refer to the new table", "clave foránea propia: eliminada, no puede referirse a la tabla nueva"),
        ["grant_kept"] = ("right of a role: kept", "permiso de un rol: conservado"),
        ["grant_left"] = ("right of a role: could not be kept", "permiso de un rol: no se pudo conservar"),
        ["moved"] = ("object of the same name: moved beside", "objeto del mismo nombre: movido aparte"),
        ["trigger_left"] = ("trigger of your own: not made anew", "disparador propio: no se vuelve a crear"),
        ["index_left"] = ("index of your own: not made anew", "índice propio: no se vuelve a crear"),
        ["policy_left"] = ("row policy of your own: not made anew", "política de filas propia: no se vuelve a crear"),
    };

    /// <summary>Kinds of words.</summary>
    public static IEnumerable<string> Kinds => s_meanings.Keys;

    /// <summary>Rules that have a name.</summary>
    public static IEnumerable<string> Rules => s_rules.Keys;

    /// <summary>What people read for a rule.</summary>
    public static string Rule(string rule, PeopleContext context) =>
        s_rules.TryGetValue(rule, out var words) ? context.Text(words.English, words.Spanish) : rule;

    /// <summary>Reads <c>kind:word=meaning</c>.</summary>
    /// <exception cref="JobException">64: every fault at once.</exception>
    public static IReadOnlyList<(string Kind, string Word, string Meaning)> Read(IReadOnlyList<string> words)
    {
        var read = new List<(string, string, string)>();
        var faults = new List<string>();
        foreach (var text in words)
        {
            var (colon, equals) = (text.IndexOf(':', StringComparison.Ordinal), text.LastIndexOf('='));
            if (colon < 1 || equals < colon + 2)
            {
                faults.Add($"--word: '{text}' is not written as kind:word=meaning, for instance stage:Discovery=contacted");
                continue;
            }

            var (kind, word, meaning) = (text[..colon], text[(colon + 1)..equals], text[(equals + 1)..]);
            if (!s_meanings.TryGetValue(kind, out var meanings))
            {
                faults.Add($"--word: '{kind}' is no kind of word; allowed are {string.Join(", ", Kinds)}");
            }
            else if (!meanings.Contains(meaning, StringComparer.Ordinal))
            {
                faults.Add($"--word: '{meaning}' is no {kind}; allowed are {string.Join(", ", meanings)}");
            }
            else
            {
                read.Add((kind, word, meaning));
            }
        }

        return faults.Count == 0 ? read : throw JobException.Usage(string.Join("; ", faults));
    }
}
