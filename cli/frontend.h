/* frontend.h - commands that need the front end only: no VM is made. Each returns the exit status. */
#ifndef ASY_CLI_FRONTEND_H
#define ASY_CLI_FRONTEND_H

int asy_print_dis(const char *path);
int asy_print_ast(const char *path);
/* Parses and compiles each file that the list names, one a line; prints the seconds it took, reading not counted. */
int asy_parse_bench(const char *list);

#endif
