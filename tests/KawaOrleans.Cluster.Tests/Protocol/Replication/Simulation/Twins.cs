using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Copies of data directories, taken while the original runs, and started beside it.</summary>
internal sealed class Twins(SimulatedNetwork network, StoredRecords stored, Checks checks, Incidents incidents)
{
    private (SimulatedNode Of, ChainNode Self, SimulatedVolume Disk, int Process)? _copy;

    /// <summary>Original processes that go on although a copy of their directory has their name: only where that mistake is planted.</summary>
    public List<SimulatedNode> Originals { get; } = [];

    /// <summary>Copies the directory of a node that runs, or starts the copy beside it.</summary>
    public void Go(SimulatedNode node)
    {
        if (_copy is not { } copy)
        {
            network.Trace?.Say($"{node.Name}'s directory is copied while it runs");
            _copy = (node, node.Node, node.Disk.Volume.AfterKill(), node.Process);
        }
        else if (copy.Of is { IsUp: true, IsRegistered: true, HasTwin: false } original && original.Process > copy.Process)
        {
            // The original was started since: the copy is never to vote.
            _copy = null;
            _ = StartBeside(original, copy.Self, copy.Disk);
        }
    }

    /// <summary>The mistake: the copy was taken since the original's last start. It gets the name, and the original goes on with what it has open.</summary>
    public SimulatedNode Replace(SimulatedNode original)
    {
        network.Trace?.Say($"a copy of {original.Name} takes its place, and {original.Name} goes on");
        Originals.Add(original);
        return original.Twin();
    }

    /// <summary>It looks at its record in the chain store, and stops.</summary>
    public void Look(SimulatedNode original)
    {
        network.Trace?.Say($"the original {original.Name} sees that a copy has its name");
        original.Crash();
        Originals.Remove(original);
    }

    private async Task StartBeside(SimulatedNode original, ChainNode self, SimulatedVolume disk)
    {
        network.Trace?.Say($"a copy of {original.Name} starts beside it");
        original.HasTwin = true;
        var starts = SimulatedNode.StartsOn(disk);
        var records = new FakeRecords(network.World, stored, static () => false);
        var registration = new NodeRegistration(records, () => new NodeDirectory(self, original.Cookie, starts), Keep, network.World.NewId);
        while (original.HasTwin)
        {
            try
            {
                await registration.Register(stored.Catalogue!.Value, default);
                checks.Require(false, "P15", $"a copy of {self.Name} votes beside it");
                original.HasTwin = false;
            }
            catch (ChainStoreException away) when (away.Problem == ChainStoreProblem.Away)
            {
                await network.World.Pause(static () => false);
            }
            catch (ChainStoreException other)
            {
                checks.Require(false, "P15", other.Message);
                original.HasTwin = false;
            }
            catch (NodeRefusedException refused)
            {
                network.Trace?.Say($"the copy of {self.Name} is refused: {refused.Message}");
                incidents.Count(Incident.RefusedTwin);
                original.HasTwin = false;
            }
        }

        Task Keep(IReadOnlyList<NodeRecord> kept)
        {
            starts = kept;
            return Task.CompletedTask;
        }
    }
}
