namespace KawaOrleans.Server.Protocol;

/// <summary>Finds the nodes of a log's next segment and has them prepare it.</summary>
internal sealed class NextSegment(INodes nodes, Func<Guid> newId)
{
    /// <summary>The chain with a next segment that all its nodes have prepared; or why there are too few of them. Nodes that are <paramref name="unfit"/>,
    /// for the reason given, are not among them.</summary>
    public async Task<(Chain? Next, string? WhyNot)> Claim(
        Chain chain, FenceDecision.Ended ended, Guid cookie, int batchBytes, IReadOnlyDictionary<string, string> unfit, CancellationToken cancellation)
    {
        var fileBytes = SegmentSizing.Next(chain, batchBytes);
        var failed = new Dictionary<string, string>(unfit, StringComparer.Ordinal);
        while (true)
        {
            var choice = await Choose(chain, ended.WholeFirst, cookie, fileBytes, failed, cancellation);
            if (choice.WhyNot is { } reason)
            {
                return (null, reason);
            }

            var segment = new ChainSegment
            {
                Id = newId(), Generation = 0, Epoch = chain.Epoch + 1, Base = ended.End, End = null,
                Ensemble = choice.Ensemble, AckQuorum = chain.Options.AckQuorum, FileBytes = fileBytes,
            };
            var next = ChainRules.Rolled(chain, ended.End, segment);
            var claim = new NewSegment
            {
                LogId = chain.LogId, LogName = chain.LogName, Segment = segment, ChainVersion = chain.Version,
                Predecessor = next.Segments.Count > 1 ? next.Segments[^2].Id : null, TimestampFloor = ended.LastTimestamp,
            };

            // A claim that one node did not confirm is dead: the next one has another id.
            if (await Prepare(claim, failed, cancellation))
            {
                return (next, null);
            }
        }
    }

    /// <summary>Chooses among those given first: if they can go on, no other is asked.</summary>
    /// <param name="chain">The log's chain.</param>
    /// <param name="current">The ensemble of the last segment, the next primary first.</param>
    /// <param name="cookie">The cluster.</param>
    /// <param name="fileBytes">The size of the file to be made.</param>
    /// <param name="failed">Nodes that are not asked again, and why; those that do not answer are added.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<EnsembleChoice> Choose(
        Chain chain, IReadOnlyList<ChainNode> current, Guid cookie, long fileBytes, Dictionary<string, string> failed, CancellationToken cancellation)
    {
        var reports = new List<NodeReport>();
        await Ask(current.Select(node => node.Name));
        var choice = Among();
        if (choice.Ensemble.Count < chain.Options.Replicas)
        {
            await Ask(nodes.Live.Except(current.Select(node => node.Name)));
            choice = Among();
        }

        return choice.WhyNot is not { } reason ? choice : choice with
        {
            WhyNot = reason + string.Concat(failed.Select(node => $"; node '{node.Key}' did not take it ({node.Value})"))
                + string.Concat(nodes.Missing.Except(failed.Keys).Select(node => $"; node '{node}' is not alive")),
        };

        EnsembleChoice Among() => EnsembleChoice.Among(chain.LogId, chain.Options, current, cookie, reports, fileBytes);

        async Task Ask(IEnumerable<string> names)
        {
            var asked = names.Where(node => !failed.ContainsKey(node)).ToList();
            var answers = await Task.WhenAll(asked.Select(node => nodes.Report(node, cancellation)));
            for (var i = 0; i < answers.Length; i++)
            {
                if (answers[i] is { IsKnown: true, Value: { } report })
                {
                    reports.Add(report);
                }
                else
                {
                    failed[asked[i]] = answers[i].Unknown ?? "it answers nothing";
                }
            }
        }
    }

    /// <summary>True when every node of the ensemble confirmed; those that did not are added to the failed.</summary>
    private async Task<bool> Prepare(NewSegment claim, Dictionary<string, string> failed, CancellationToken cancellation)
    {
        var ensemble = claim.Segment.Ensemble;
        var answers = await Task.WhenAll(ensemble.Select(node => nodes.Prepare(node.Name, claim, cancellation)));
        for (var i = 0; i < answers.Length; i++)
        {
            if (answers[i].Unknown is { } reason)
            {
                failed[ensemble[i].Name] = reason;
            }
            else if (answers[i].Value!.Node != ensemble[i])
            {
                failed[ensemble[i].Name] = $"its data directory is now {answers[i].Value!.Node.Id:N}";
            }
        }

        return !ensemble.Any(node => failed.ContainsKey(node.Name));
    }
}
