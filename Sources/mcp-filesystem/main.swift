import Glibc
import MCPFilesystem

exit(FilesystemCommand.run(arguments: Array(CommandLine.arguments.dropFirst())))
