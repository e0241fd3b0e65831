namespace KawaOrleans.Server.Protocol;

/// <summary>How a log's chain is written anew after the store lost it or went back in time. It starts from the newest chain that
/// anyone kept. That one is the last there was if enough of its last segment's nodes (F) still hold it unfenced: no segment
/// follows one that was not fenced. Otherwise a newer chain may have existed, and only the operator can give it up.
/// Segments that are in no kept chain are never taken in: nobody was acknowledged there.</summary>
internal abstract record RebuildPlan
{
    /// <summary>Added to version and epoch when nodes are given up: more changes than such a node can have been told of that no
    /// answering one was, so that what it remembers stays older than the chain written now.</summary>
    public const long Leap = 1_000_000;

    /// <summary>The store's record is as new as any; nothing is to be written.</summary>
    public sealed record Keep(Chain Chain) : RebuildPlan;

    /// <summary>The chain to write, and what is lost by it, a sentence each.</summary>
    public sealed record Write(Chain Chain, IReadOnlyList<string> Losses) : RebuildPlan;

    /// <summary>The answers at hand do not prove what the chain was.</summary>
    public sealed record Refuse(string Why) : RebuildPlan;

    /// <summary>All nodes answered and there is no such log, or only deleted ones.</summary>
    public sealed record NoLog : RebuildPlan;

    public static RebuildPlan From(RebuildSources sources)
    {
        var ids = sources.Ids();
        if (ids.Count == 0 && sources.Answers.All(answer => answer.Answer.IsKnown))
        {
            return new NoLog();
        }

        if (ids.Count != 1)
        {
            return new Refuse(ids.Count == 0 ? NobodyKept(sources)
                : $"the nodes hold files of several logs of this name ({string.Join(", ", ids.Select(id => id.ToString("N")))}) and nothing tells "
                + "which was deleted: move the folders of the others out of the nodes' data directories");
        }

        var newest = sources.Newest(ids[0]);
        if (newest.Count == 0 || (sources.Stored is null && newest[0].Chain.Segments.Count == 0))
        {
            return new Refuse(NobodyKept(sources));
        }

        var (keeper, chain) = newest[0];
        if (ChainRules.Validate(chain) is { } unsound)
        {
            return new Refuse($"the newest chain, version {chain.Version} kept by {keeper}, is unsound: {unsound}");
        }

        if (newest.FirstOrDefault(other => !ChainRules.Agree(chain, other.Chain)) is { Chain: not null } fork)
        {
            return new Refuse($"{keeper} and {fork.Keeper} kept different chains of version {chain.Version}");
        }

        return sources.Stored is { } stored && ReferenceEquals(stored, chain)
            ? OfIntact(sources, chain)
            : OfKept(sources, chain);
    }

    /// <summary>The only change to a chain that is not lost: an open segment whose nodes are given up is given up with them.</summary>
    private static RebuildPlan OfIntact(RebuildSources sources, Chain chain)
    {
        if (chain.WriteSegment is not { } open)
        {
            return new Keep(chain);
        }

        var (known, missing) = Ask(sources, chain, open);
        return known.Count >= FenceDecision.Quorum(open) || !missing.All(node => sources.IsGivenUp(node.Name))
            ? new Keep(chain)
            : GivenUp(sources, chain, open, known);
    }

    private static RebuildPlan OfKept(RebuildSources sources, Chain chain)
    {
        if (chain.WriteSegment is not { } open)
        {
            return sources.GivenUp.Count == 0
                ? new Refuse(MayBeNewer(sources, chain, "it ends with a sealed segment"))
                : new Write(Leapt(chain, chain.Segments), LossesOf(sources, chain, chain.Segments[^1].End!.Value));
        }

        var (known, missing) = Ask(sources, chain, open);
        if (known.Count < FenceDecision.Quorum(open))
        {
            var needed = missing.Where(node => !sources.IsGivenUp(node.Name)).ToList();
            return needed.Count == 0
                ? GivenUp(sources, chain, open, known)
                : new Refuse($"the last segment {open.Id:N} of the newest kept chain (version {chain.Version}) is on "
                    + string.Join(", ", needed.Select(node => $"node '{node.Name}' ({node.Why})"))
                    + ". Bring it back and retry. If it is gone for ever, with the events from position "
                    + $"{open.Base} on that only it held: {RebuildCommand.For(sources.LogName, $"--give-up {needed[0].Name}")}");
        }

        if (known.FirstOrDefault(replica => replica.State is ReplicaState.Fenced or ReplicaState.Sealed) is not { } ended)
        {
            return new Write(chain with { Version = chain.Version + 1 }, []);
        }

        return sources.GivenUp.Count == 0
            ? new Refuse(MayBeNewer(sources, chain, $"its last segment {open.Id:N} is {(ended.State == ReplicaState.Sealed ? "sealed" : "fenced")}"))
            : GivenUp(sources, chain, open, known);
    }

    /// <summary>Ends the open segment at the longest tail that answers, or drops it when none does.</summary>
    private static Write GivenUp(RebuildSources sources, Chain chain, ChainSegment open, IReadOnlyList<ReplicaInventory> known)
    {
        var end = known.Select(replica => replica.Tail).DefaultIfEmpty(open.Base).Max();
        return new Write(Leapt(chain, ChainRules.Ended(chain, end)), LossesOf(sources, chain, end));
    }

    private static Chain Leapt(Chain chain, IReadOnlyList<ChainSegment> segments) => ChainRules.Checked(chain with
    {
        Version = chain.Version + Leap,
        Epoch = chain.Epoch + Leap,
        Segments = segments,
    });

    private static List<string> LossesOf(RebuildSources sources, Chain chain, long end)
    {
        List<string> losses = [$"log '{chain.LogName}': what was appended from position {end} on, if anything was, is lost; new events get these positions"];
        foreach (var segment in chain.Segments.Where(segment => !segment.IsOpen && segment.Ensemble.All(node => sources.IsGivenUp(node.Name))))
        {
            if (segment.Ensemble.All(node => !sources.Replica(chain.LogId, segment, node.Name).IsKnown))
            {
                losses.Add($"log '{chain.LogName}': positions [{segment.Base}, {segment.End}) are only on node "
                    + $"{string.Join(", ", segment.Ensemble.Select(node => $"'{node.Name}'"))} and cannot be read unless it returns");
            }
        }

        return losses;
    }

    private static (List<ReplicaInventory> Known, List<(string Name, string Why)> Missing) Ask(RebuildSources sources, Chain chain, ChainSegment open)
    {
        var known = new List<ReplicaInventory>();
        var missing = new List<(string, string)>();
        foreach (var node in open.Ensemble)
        {
            switch (sources.Replica(chain.LogId, open, node.Name))
            {
                case { Unknown: { } reason }:
                    missing.Add((node.Name, reason));
                    break;
                case { Value: { } replica }:
                    known.Add(replica);
                    break;
            }
        }

        return (known, missing);
    }

    private static string MayBeNewer(RebuildSources sources, Chain chain, string sign) =>
        $"of the newest kept chain, version {chain.Version}, {sign}: a newer one may have existed, on nodes that do not answer. Start all "
        + $"nodes of the cluster and retry. To give up nodes that will not return, and all that was appended behind position "
        + $"{chain.Segments[^1].End ?? chain.Segments[^1].Base}: {RebuildCommand.For(sources.LogName, "--give-up NODE")}, or --give-up '"
        + $"{RebuildCommand.EveryMissingNode}' for every node that does not answer";

    private static string NobodyKept(RebuildSources sources)
    {
        var silent = sources.Answers.Where(answer => !answer.Answer.IsKnown).Select(answer => $"'{answer.Node}'").ToList();
        return "no answering node was told of a chain of this log"
            + (silent.Count == 0 ? "" : $"; node {string.Join(", ", silent)} did not answer")
            + ". Start the nodes that held it and retry; if there are none, delete the log";
    }
}
