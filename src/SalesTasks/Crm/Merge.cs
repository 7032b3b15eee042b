namespace SalesTasks.Crm;

/// <summary>Which sides a run may write.</summary>
internal enum SyncDirection
{
    Export,
    Import,
    Bidirectional,
}

/// <summary>What both sides agreed on last, by our field name, and what is on its way.</summary>
/// <param name="Ours">Our value then, as the CRM writes it.</param>
/// <param name="Theirs">The CRM's value then.</param>
/// <param name="Sending">What a write whose answer is unknown sent; null: none.</param>
internal sealed record MergeBase(
    IReadOnlyDictionary<string, string?> Ours, IReadOnlyDictionary<string, string?> Theirs, IReadOnlyDictionary<string, string?>? Sending);

/// <summary>A field that both sides had changed, and what was decided.</summary>
internal sealed record Conflict(string Field, string? Base, string? Ours, string? Theirs, bool OursWins, string Reason);

/// <summary>What is to be done about one record. Values by our field name.</summary>
/// <param name="ToTheirs">As the CRM writes them.</param>
/// <param name="ToOurs">As we write them.</param>
/// <param name="OurBase">The new base of our side, of the fields that are in step now.</param>
/// <param name="TheirBase">The same of theirs.</param>
/// <param name="Conflicts">For the journal.</param>
internal sealed record MergeResult(
    Dictionary<string, string?> ToTheirs,
    Dictionary<string, string?> ToOurs,
    Dictionary<string, string?> OurBase,
    Dictionary<string, string?> TheirBase,
    List<Conflict> Conflicts)
{
    /// <summary>Fields that the CRM has nothing for.</summary>
    public int Unmapped { get; set; }

    /// <summary>A write whose answer was lost did arrive.</summary>
    public bool Arrived { get; set; }
}

/// <summary>
/// The three-way merge of one record, field by field. Each side is compared with what it was when both were last in step; a side that did
/// not change takes the other's value, and where both changed the field's rule decides and the journal keeps what was lost.
/// </summary>
internal sealed class Merger(CrmValues values, SyncDirection direction)
{
    /// <param name="map">The fields.</param>
    /// <param name="last">What both sides agreed on.</param>
    /// <param name="ours">Our values.</param>
    /// <param name="theirs">Theirs, by their field name; null: there is no record yet.</param>
    /// <param name="oursAt">When our record changed.</param>
    /// <param name="theirsAt">When theirs changed.</param>
    public MergeResult Merge(
        ObjectMapping map,
        MergeBase last,
        IReadOnlyDictionary<string, string?> ours,
        IReadOnlyDictionary<string, string?>? theirs,
        DateTimeOffset oursAt,
        DateTimeOffset theirsAt)
    {
        var result = new MergeResult([], [], [], [], []);
        foreach (var field in map.Fields)
        {
            MergeField(map.Kind, field, last, ours, theirs, oursAt > theirsAt, result);
        }

        return result;
    }

    private void MergeField(
        CrmObject kind,
        FieldMapping field,
        MergeBase last,
        IReadOnlyDictionary<string, string?> ours,
        IReadOnlyDictionary<string, string?>? theirs,
        bool oursIsNewer,
        MergeResult result)
    {
        var name = field.Ours.Name;
        if (!values.TryEncode(kind, field, ours.GetValueOrDefault(name), out var our))
        {
            result.Unmapped++;
            our = last.Ours.GetValueOrDefault(name);
        }

        var ourBase = last.Ours.GetValueOrDefault(name);
        if (theirs is null)
        {
            if (our is not null || ourBase is not null)
            {
                result.ToTheirs[name] = our;
            }

            return;
        }

        if (field.Ours.OnlyNew)
        {
            if (last.Sending is not null && !last.Ours.ContainsKey(name))
            {
                // Made by a write whose answer was lost: what was sent then is the base, as it is after an answer.
                result.OurBase[name] = last.Sending.GetValueOrDefault(name);
            }

            return;
        }

        var their = values.Normalize(kind, field, theirs.GetValueOrDefault(field.Theirs));
        var theirBase = last.Theirs.GetValueOrDefault(name);
        if (last.Sending is { } sending && sending.TryGetValue(name, out var sent) && their == sent)
        {
            // The write whose answer we do not know did arrive.
            result.Arrived = true;
            (ourBase, theirBase) = (sent, their);
            InStep(sent, their);
        }

        var weChanged = our != ourBase;
        var theyChanged = their != theirBase;
        if (our == their)
        {
            InStep(our, their);
        }
        else if (weChanged && theyChanged)
        {
            var (oursWins, reason) = (direction, field) switch
            {
                (SyncDirection.Import, _) => (false, "direction"),
                (_, { Ours.Computed: true }) => (true, "computed"),
                (SyncDirection.Export, _) => (true, "direction"),
                (_, { Rule: FieldRule.Newest }) => (oursIsNewer, "newest"),
                _ => (field.Rule is FieldRule.Ours, "rule"),
            };
            Decide(oursWins, reason);
        }
        else if (weChanged && direction is not SyncDirection.Import)
        {
            result.ToTheirs[name] = our;
        }
        else if (theyChanged && field.Ours.Computed && direction is not SyncDirection.Import)
        {
            Decide(oursWins: true, "computed");
        }
        else if (theyChanged && !field.Ours.Computed && direction is not SyncDirection.Export)
        {
            TakeTheirs(null);
        }

        void Decide(bool oursWins, string reason)
        {
            if (oursWins)
            {
                result.ToTheirs[name] = our;
                result.Conflicts.Add(new Conflict(name, theirBase, our, their, true, reason));
            }
            else
            {
                TakeTheirs(reason);
            }
        }

        void TakeTheirs(string? reason)
        {
            if (field.Ours.Computed)
            {
                return;
            }

            if (!values.TryDecode(kind, field, their, out var taken))
            {
                // Ours stays, theirs stays, and the journal says so once.
                result.Conflicts.Add(new Conflict(name, theirBase, our, their, true, "not_usable"));
                InStep(our, their);
                return;
            }

            if (reason is not null)
            {
                result.Conflicts.Add(new Conflict(name, theirBase, our, their, false, reason));
            }

            result.ToOurs[name] = taken;
            InStep(values.TryEncode(kind, field, taken, out var again) ? again : their, their);
        }

        void InStep(string? ourValue, string? theirValue)
        {
            if (last.Ours.GetValueOrDefault(name) != ourValue || !last.Ours.ContainsKey(name))
            {
                result.OurBase[name] = ourValue;
            }

            if (last.Theirs.GetValueOrDefault(name) != theirValue || !last.Theirs.ContainsKey(name))
            {
                result.TheirBase[name] = theirValue;
            }
        }
    }
}
