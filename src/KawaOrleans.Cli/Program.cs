using KawaOrleans.Cli;

return await CommandTree.RunAsync(args, Terminal.OfProcess());
