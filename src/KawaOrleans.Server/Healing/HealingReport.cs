using KawaOrleans.Server.Protocol;

namespace KawaOrleans.Server.Healing;

/// <summary>What a pass found and could not mend at once.</summary>
/// <param name="Short">Replicas of this node that end before their segment.</param>
/// <param name="Damaged">Replicas of this node that do not verify.</param>
/// <param name="Missing">Replicas of this node whose file is gone.</param>
/// <param name="UnderReplicated">Segments with a replica too few, of those that this node sees to.</param>
/// <param name="WaitingForNode">Segments with a replica on a node that is away, of those that this node sees to.</param>
/// <param name="Sentences">The same in words, a sentence for each kind and log.</param>
internal sealed record HealingReport(
    int Short, int Damaged, int Missing, int UnderReplicated, int WaitingForNode, IReadOnlyList<string> Sentences)
{
    public static readonly HealingReport Nothing = new(0, 0, 0, 0, 0, []);
}

/// <summary>Gathers them.</summary>
internal sealed class HealingProblems
{
    private readonly int[] _lacks = new int[3];
    private readonly SortedSet<string> _sentences = new(StringComparer.Ordinal);
    private int _underReplicated;
    private int _waiting;

    public void Lacking(ReplicaNeed need, string reason)
    {
        _lacks[(int)need.Lack]++;
        _sentences.Add($"segment {need.Segment.Id:N} of log '{need.Chain.LogName}' is {need.Lack switch
        {
            ReplicaLack.Short => "short of its end",
            ReplicaLack.Damaged => "damaged",
            _ => "missing",
        }} here: {reason}");
    }

    public void Vacant(Chain chain, ChainSegment segment)
    {
        _underReplicated++;
        _sentences.Add($"log '{chain.LogName}' has segments with fewer than {Math.Max(chain.Options.Replicas, segment.Ensemble.Count)} replicas: they are copied to other nodes as far as there are any");
    }

    public void Waiting(Chain chain, ChainSegment segment, Catalogue catalogue, IReadOnlyCollection<string> live)
    {
        var away = segment.IsOpen ? [] : segment.Ensemble.Where(node => !live.Contains(node.Name) && !catalogue.IsGivenUp(node.Id)).ToList();
        _waiting += away.Count > 0 ? 1 : 0;
        foreach (var node in away)
        {
            _sentences.Add($"log '{chain.LogName}' has replicas on node '{node.Name}', which is away. If it is lost for ever: {OperatorCommand.ReplaceNode(node.Name)}");
        }
    }

    public HealingReport ToReport() => new(
        _lacks[(int)ReplicaLack.Short], _lacks[(int)ReplicaLack.Damaged], _lacks[(int)ReplicaLack.Missing], _underReplicated, _waiting, [.. _sentences]);
}
