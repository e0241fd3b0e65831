using Orleans.Runtime;

namespace KawaOrleans.Server.Nodes;

/// <summary>Which nodes are alive and where, as cluster membership sees it. The node's name is its silo's name: it travels in the
/// membership row itself, so there is no moment in which a silo is known and its node is not.</summary>
internal sealed class LiveNodes(IClusterMembershipService membership, ILocalSiloDetails self)
{
    /// <summary>Names of the nodes with an active silo, this one always among them.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            var names = new SortedSet<string>(StringComparer.Ordinal) { self.Name };
            foreach (var member in membership.CurrentSnapshot.Members.Values)
            {
                if (member.Status == SiloStatus.Active)
                {
                    names.Add(member.Name);
                }
            }

            return [.. names];
        }
    }

    /// <summary>Names of the nodes that membership remembers and that have no active silo.</summary>
    public IReadOnlyList<string> Missing =>
        [.. membership.CurrentSnapshot.Members.Values.Select(member => member.Name).Distinct(StringComparer.Ordinal)
            .Except(Names).Order(StringComparer.Ordinal)];

    /// <summary>The node's active silo, or null. While a restarted silo's predecessor is not yet declared dead there are two: the
    /// newer one counts.</summary>
    public SiloAddress? Find(string node)
    {
        SiloAddress? newest = null;
        foreach (var (silo, member) in membership.CurrentSnapshot.Members)
        {
            if (member.Status == SiloStatus.Active && member.Name == node && (newest is null || silo.Generation > newest.Generation))
            {
                newest = silo;
            }
        }

        return newest;
    }

    /// <summary>The same among the silos given.</summary>
    public SiloAddress? Find(string node, IEnumerable<SiloAddress> among)
    {
        var members = membership.CurrentSnapshot.Members;
        SiloAddress? newest = null;
        foreach (var silo in among)
        {
            if (members.TryGetValue(silo, out var member) && member.Name == node && (newest is null || silo.Generation > newest.Generation))
            {
                newest = silo;
            }
        }

        return newest;
    }
}
