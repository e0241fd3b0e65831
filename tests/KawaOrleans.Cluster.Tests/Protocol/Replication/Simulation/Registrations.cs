using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>What a node that starts does before it votes, and what the operator does when it may not.</summary>
internal sealed class Registrations(SimulatedNetwork network, StoredRecords stored, Incidents incidents)
{
    /// <summary>Registers a node's start, however often the chain store does not answer; returns when it is registered or refused.</summary>
    public async Task Register(SimulatedNode node)
    {
        var process = node.Process;
        var records = new FakeRecords(network.World, stored, () => node.Process != process);
        var registration = new NodeRegistration(records, () => node.Directory, starts => Keep(node, starts), network.World.NewId);
        while (node.Process == process && !node.IsRegistered)
        {
            try
            {
                await registration.Register(stored.Catalogue!.Value, default);
                node.Registered();

                // No start was registered since a copy was made: it is as good as the original, and takes its place.
                node.Disk.KeepCopy();
                network.Trace?.Say($"{node.Name} is registered");
            }
            catch (ChainStoreException away) when (away.Problem == ChainStoreProblem.Away)
            {
                await network.World.Pause(() => node.Process != process);
            }
            catch (StorageException)
            {
                // It cannot keep its start: not before the next one.
                return;
            }
            catch (NodeRefusedException refused)
            {
                Refused(node, refused);
                return;
            }
        }
    }

    /// <summary>The operator says that a directory is lost for ever.</summary>
    public void GiveUp(ChainNode lost)
    {
        var catalogue = stored.Catalogue!.Value;
        stored.Catalogue = stored.Tagged(catalogue with { GivenUp = [.. catalogue.GivenUp, lost] });
    }

    /// <summary>The operator looks, and does what the message says.</summary>
    private void Refused(SimulatedNode node, NodeRefusedException refused)
    {
        network.Trace?.Say($"{node.Name} is refused: {refused.Message}");
        node.Crash();
        if (node.Disk.IsCopy)
        {
            incidents.Count(Incident.RefusedCopy);
            node.Disk.PutBack();
        }
        else if (stored.Catalogue!.Value.IsGivenUp(node.Id))
        {
            incidents.Count(Incident.RefusedGivenUp);
            node.Wipe();
        }
        else if (node.Lost is not null)
        {
            // As the operator's command does: the directory that was registered last.
            incidents.Count(Incident.RefusedBlank);
            GiveUp(new ChainNode(node.Name, stored.Nodes[node.Name].Value.NodeId));
        }
        else
        {
            throw new InvalidOperationException($"The node's own directory was refused: {refused.Message}");
        }
    }

    private Task Keep(SimulatedNode node, IReadOnlyList<NodeRecord> starts)
    {
        var kept = network.Do(node, "keep its start", here =>
        {
            here.Keep(starts);
            return new NodeAnswer<bool>(true, null);
        });
        return kept.IsKnown ? Task.CompletedTask : Task.FromException(new StorageException(kept.Unknown!));
    }
}
